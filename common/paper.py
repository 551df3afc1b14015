"""Setting things on paper with typst.

A template holds the layout; every word reaches it as JSON data, so what a user typed is text
there and never markup. The same data gives the same bytes on every machine: only the packaged
fonts are used.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

import typst

from common.languages import Language

_SHARED = Path(__file__).with_name("paper.typ")
_FONT_PACKAGES = ("fontpkg_ibm_plex_sans", "fontpkg_ibm_plex_sans_arabic")
# Control characters, and the bidirectional ones, which could show a dose in another order than
# it is stored. Joiners stay: Persian and Urdu names need them.
_UNPRINTABLE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_LINE_BREAK = re.compile(r"\r\n?|[\u2028\u2029\x85\x0b\x0c]")

# Month names are spelt out: 03/04 is a different day on either side of the Mediterranean.
MONTHS: Mapping[Language, tuple[str, ...]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "ar": (
        "يناير",
        "فبراير",
        "مارس",
        "إبريل",
        "مايو",
        "يونيو",
        "يوليو",
        "أغسطس",
        "سبتمبر",
        "أكتوبر",
        "نوفمبر",
        "ديسمبر",
    ),
}


def printable_lines(text: str) -> str:
    """What somebody typed, as it can be printed, with its line breaks."""
    return _UNPRINTABLE.sub("", _LINE_BREAK.sub("\n", text).replace("\t", " ")).strip()


def printable_line(text: str) -> str:
    """What somebody typed, on one line."""
    return " ".join(printable_lines(text).split("\n"))


def written_day(value: date, language: Language) -> str:
    # A no-break space keeps the parts of a date on one line.
    return f"{value.day}\u00a0{MONTHS[language][value.month - 1]}\u00a0{value.year}"


def compiler_for(template: Path, data: Mapping[str, Any]) -> typst.Compiler:
    """A compiler loaded with one document; the template reads it as `sys.inputs.document`, and
    imports what templates share from `/paper.typ`.

    A compiler sets its document once and refuses a second thread, so each call makes its own:
    it is free to make, because the fonts and typst's own caches are shared by all.
    """
    files: Any = {"main.typ": _source(template), "paper.typ": _source(_SHARED)}
    return typst.Compiler(
        files,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(data)},
    )


def typeset(new_compiler: Callable[[], typst.Compiler], *, at: datetime) -> bytes:
    """A tagged PDF/A, said to be made at that moment, to the second."""
    at = at.replace(microsecond=0)
    try:
        pdf = new_compiler().compile(format="pdf", pdf_standards=["a-2a", "ua-1"], timestamp=at)
    except typst.TypstError:
        # The standards forbid a character that the fonts lack (an emoji, a name in Chinese).
        # Such a document still prints, with a visible box in the character's place.
        pdf = new_compiler().compile(format="pdf", timestamp=at)
    return cast(bytes, pdf)


@functools.cache
def _source(template: Path) -> bytes:
    return template.read_bytes()


@functools.cache
def _fonts() -> typst.Fonts:
    packages = [importlib.resources.files(name) / "files" for name in _FONT_PACKAGES]
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(package) for package in packages],
    )
