"""Sets a prescription on paper with typst.

The template holds the layout; every word reaches it as JSON data, so what a user typed is text
there and never markup. The same document gives the same bytes on every machine: only the packaged
fonts are used, and the creation date is the day of issue.
"""

import functools
import importlib.resources
import json
import re
from datetime import UTC, date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args
from urllib.parse import urlsplit

import segno
import typst

from prescriptions.pdf.document import DocumentItem, PrescriptionDocument
from prescriptions.pdf.labels import LABELS, MEDICINE_COUNT, MONTHS, SEXES
from prescriptions.sig import Language, counted, dosage_sentence

Paper: TypeAlias = Literal["A4", "A5"]
PAPERS: tuple[Paper, ...] = get_args(Paper)

_TEMPLATE = Path(__file__).with_name("prescription.typ")
_FONT_PACKAGES = ("fontpkg_ibm_plex_sans", "fontpkg_ibm_plex_sans_arabic")
# Control characters, and the bidirectional ones, which could show a dose in another order than
# it is stored. Joiners stay: Persian and Urdu names need them.
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LINE_BREAK = re.compile(r"\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_FINGERPRINT_DIGITS = 16


@functools.cache
def _fonts() -> typst.Fonts:
    packages = [importlib.resources.files(name) / "files" for name in _FONT_PACKAGES]
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(package) for package in packages],
    )


def _lines(text: str) -> str:
    return _UNPRINTABLE.sub("", _LINE_BREAK.sub("\n", text).replace("\t", " ")).strip()


def _printable(text: str) -> str:
    return " ".join(_lines(text).split("\n"))


def _day(value: date, language: Language) -> str:
    # A no-break space keeps the parts of a date on one line.
    return f"{value.day}\u00a0{MONTHS[language][value.month - 1]}\u00a0{value.year}"


def _fingerprint(content_hash: str) -> str:
    short = content_hash[:_FINGERPRINT_DIGITS]
    return " ".join(short[start : start + 4] for start in range(0, len(short), 4))


def _qr_svg(url: str) -> str:
    image = BytesIO()
    segno.make_qr(url, error="m").save(image, kind="svg", border=4, xmldecl=False)
    return image.getvalue().decode()


def _item(item: DocumentItem, language: Language) -> dict[str, str]:
    return {
        "medicine": _printable(item.medicine),
        "strength": _printable(item.strength),
        "sig": dosage_sentence(item, language),
        "instructions": _lines(item.instructions),
        "quantity": "" if item.quantity is None else str(item.quantity),
        "refills": str(item.refills),
    }


def _page_data(document: PrescriptionDocument, paper: Paper, language: Language) -> dict[str, Any]:
    """All that the template shows, already worded in the language."""
    specialization = {
        "en": document.prescriber_specialization_en,
        "ar": document.prescriber_specialization_ar,
    }[language]
    born = document.patient_birth_date
    return {
        "paper": paper.lower(),
        "language": language,
        "labels": LABELS[language],
        "number": _printable(document.number),
        "version": str(document.version),
        "issued_on": [document.issued_on.year, document.issued_on.month, document.issued_on.day],
        "issued": _day(document.issued_on, language),
        "valid_until": _day(document.valid_until, language),
        "patient": _printable(document.patient_name),
        "birth_date": "" if born is None else _day(born, language),
        "sex": SEXES[language][document.patient_sex],
        "prescriber": _printable(document.prescriber_name),
        "specialization": _printable(specialization),
        "licence": _printable(document.prescriber_licence_number),
        "diagnosis": _lines(document.diagnosis),
        "notes": _lines(document.notes),
        "items": [_item(item, language) for item in document.items],
        "medicine_count": counted(len(document.items), MEDICINE_COUNT[language], language),
        "host": urlsplit(document.verification_url).netloc,
        "qr": _qr_svg(document.verification_url),
        "fingerprint": _fingerprint(document.content_hash),
    }


def compiler_for(
    document: PrescriptionDocument, *, paper: Paper, language: Language
) -> typst.Compiler:
    """A compiler loaded with one document.

    A compiler refuses a second thread, so each call makes its own: it is free to make, because
    the fonts and typst's own caches are shared by all.
    """
    return typst.Compiler(
        str(_TEMPLATE),
        root=str(_TEMPLATE.parent),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(_page_data(document, paper, language))},
    )


def render_prescription_pdf(
    document: PrescriptionDocument, *, paper: Paper, language: Language
) -> bytes:
    """The prescription as a tagged PDF/A; identical documents give identical bytes."""
    compiler = compiler_for(document, paper=paper, language=language)
    issued = datetime.combine(document.issued_on, time(), UTC)
    try:
        pdf = compiler.compile(format="pdf", pdf_standards=["a-2a", "ua-1"], timestamp=issued)
    except typst.TypstError:
        # The standards forbid a character that the fonts lack (an emoji, a name in Chinese).
        # Such a prescription still prints, with a visible box in the character's place.
        pdf = compiler.compile(format="pdf", timestamp=issued)
    return cast(bytes, pdf)
