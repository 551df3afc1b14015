"""A health card as QR codes: its JWS in digits, in one symbol or several.

`shc:/` and two digits for each character, its code less 45. A card that is longer than a symbol
of version 22 holds at level L is cut into parts of nearly equal length, `shc:/1/3/…` to
`shc:/3/3/…`. Cutting is deprecated since version 1.3 of the framework, and still read: paper
cannot carry a long prescription otherwise. https://spec.smarthealth.cards/#health-cards-as-qr-codes
"""

from __future__ import annotations

import io
import math
import re

import segno
from django.utils.safestring import SafeString, mark_safe
from segno import consts

PREFIX = "shc:/"
LONGEST_WHOLE, LONGEST_PART = 1195, 1191
MOST_CHUNKS = 20
LOWEST, HIGHEST = ord("-"), ord("z")
CHUNK = re.compile(r"shc:/(?:([1-9][0-9]?)/([1-9][0-9]?)/)?([0-9]+)")


class NotReadable(Exception):
    """What was given is no health card in QR codes, or not the whole of one."""


class Incomplete(NotReadable):
    """Some of the symbols of a card are missing, or belong to another."""


def chunks_of(jws: str) -> list[str]:
    """The texts of the QR codes, in order; one where it fits."""
    if len(jws) <= LONGEST_WHOLE:
        return [PREFIX + _digits(jws)]
    length = math.ceil(len(jws) / math.ceil(len(jws) / LONGEST_PART))
    parts = [jws[start : start + length] for start in range(0, len(jws), length)]
    return [
        f"{PREFIX}{number}/{len(parts)}/{_digits(part)}" for number, part in enumerate(parts, 1)
    ]


def jws_of(chunks: list[str]) -> str:
    """The JWS that those texts hold, in whichever order they come.

    Raises `Incomplete` where a part is missing, comes twice with different content or is of a
    card in another number of parts, and `NotReadable` for all else.
    """
    found = [CHUNK.fullmatch(chunk) for chunk in chunks]
    matches = [match for match in found if match is not None]
    if not matches or len(matches) < len(found):
        raise NotReadable
    parts = {(int(match[1] or 1), int(match[2] or 1)): match[3] for match in matches}
    total = next(iter(parts))[1]
    if sorted(parts) != [(number, total) for number in range(1, total + 1)]:
        raise Incomplete
    if len({match[0] for match in matches}) > total:
        raise Incomplete
    return "".join(_characters(parts[number, total]) for number in range(1, total + 1))


def _digits(jws: str) -> str:
    return "".join(f"{ord(character) - LOWEST:02d}" for character in jws)


def _characters(digits: str) -> str:
    if len(digits) % 2:
        raise NotReadable
    codes = [int(digits[at : at + 2]) + LOWEST for at in range(0, len(digits), 2)]
    if max(codes) > HIGHEST:
        raise NotReadable
    return "".join(map(chr, codes))


def chunk_svg(chunk: str) -> SafeString:
    """The symbol as an inline SVG, sized by the page."""
    buffer = io.BytesIO()
    _symbol(chunk).save(
        buffer, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, dark="#000",
        light="#fff", svgclass=None, lineclass=None,
    )  # fmt: skip
    return mark_safe(buffer.getvalue().decode())  # noqa: S308 - shapes only, drawn just now


def chunk_png_data_uri(chunk: str) -> str:
    """The symbol as a PNG in a `data:` URI."""
    return _symbol(chunk).png_data_uri(scale=4, border=4)


def _symbol(chunk: str) -> segno.QRCode:
    """Two segments, as the framework wants: the digits take a third of a byte each."""
    head, _, digits = chunk.rpartition("/")
    segments = [(f"{head}/", consts.MODE_BYTE), (digits, consts.MODE_NUMERIC)]
    # It takes segments, too, though its types do not say so.
    return segno.make(segments, error="l", micro=False)  # type: ignore[arg-type]
