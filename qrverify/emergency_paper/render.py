"""What is printed of a card, as plain values, and the templates that place it.

Nothing that could change is on it: no allergy, no phone number. Those are read when it is
scanned. Both languages are on every card, for nobody knows who will find it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args
from urllib.parse import urlsplit

import segno
import typst

from common.languages import Language
from common.paper import compiler_for, printable_line, typeset
from qrverify.emergency_paper.labels import LABELS

# Of most phones sold with Android, and of iPhones; others crop a little at the edges.
Size: TypeAlias = Literal["1080x2400", "1170x2532"]
SIZES: tuple[Size, ...] = get_args(Size)

_WALLET = Path(__file__).with_name("wallet.typ")
_WALLPAPER = Path(__file__).with_name("wallpaper.typ")


@dataclass(frozen=True, slots=True)
class PrintedCard:
    """What the outside of a card says. `name` is empty unless the patient wants it there."""

    url: str
    name: str
    made_at: datetime


def render_wallet_card(card: PrintedCard, *, language: Language) -> bytes:
    """A4 with a card of ISO/IEC 7810 ID-1 (85.6 × 54 mm) to cut out and fold, its instructions
    in that language: a tagged PDF/A; the same card gives the same bytes."""
    return typeset(lambda: wallet_compiler(card, language=language), at=card.made_at)


def wallet_compiler(card: PrintedCard, *, language: Language) -> typst.Compiler:
    """A compiler loaded with one sheet."""
    made = card.made_at
    data = {"language": language, "made_on": [made.year, made.month, made.day]}
    return compiler_for(_WALLET, _data(card) | data)


def render_wallpaper(card: PrintedCard, *, size: Size) -> bytes:
    """A PNG of exactly that many pixels. The QR stands below the clock of a locked screen and
    above its buttons; the same card gives the same bytes."""
    width, _by, height = size.partition("x")
    data = _data(card) | {"width": int(width), "height": int(height)}
    return cast(bytes, compiler_for(_WALLPAPER, data).compile(format="png", ppi=72.0))


def _data(card: PrintedCard) -> dict[str, Any]:
    return {
        "labels": LABELS,
        "name": printable_line(card.name),
        "host": urlsplit(card.url).netloc,
        "qr": _qr_svg(card.url),
    }


def _qr_svg(url: str) -> str:
    """Level Q: a quarter of it may be rubbed off in a wallet."""
    image = BytesIO()
    segno.make_qr(url, error="q").save(image, kind="svg", border=4, xmldecl=False)
    return image.getvalue().decode()
