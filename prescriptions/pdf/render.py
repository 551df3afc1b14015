"""The words of a printed prescription, for the template that places them."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

import segno
import typst

from common.languages import Language
from common.paper import compiler_for as paper_compiler
from common.paper import printable_line, printable_lines, typeset, written_day
from prescriptions.pdf.document import DocumentItem, PrescriptionDocument, SafetyNote
from prescriptions.pdf.labels import ENDINGS, LABELS, MEDICINE_COUNT, SEXES
from prescriptions.pdf.numerals import in_words
from prescriptions.sig import counted, dosage_sentence

Paper: TypeAlias = Literal["A4", "A5"]
PAPERS: tuple[Paper, ...] = get_args(Paper)

_TEMPLATE = Path(__file__).with_name("prescription.typ")
_FINGERPRINT_DIGITS = 16
_MOST_LINES = 12
_OTHER: Mapping[Language, Language] = {"en": "ar", "ar": "en"}


def _fingerprint(content_hash: str) -> str:
    short = content_hash[:_FINGERPRINT_DIGITS]
    return " ".join(short[start : start + 4] for start in range(0, len(short), 4))


def _qr_svg(url: str) -> str:
    image = BytesIO()
    segno.make_qr(url, error="m").save(image, kind="svg", border=4, xmldecl=False)
    return image.getvalue().decode()


def _version(version: int, language: Language) -> str:
    wording = LABELS[language]["replaces" if version > 1 else "version"]
    return wording.format(n=version, before=version - 1)


def _mark(document: PrescriptionDocument, language: Language) -> str:
    """What stands across the sheet of one that has ended; nothing on any other."""
    ending = document.ending
    if ending is None:
        return ""
    day = written_day(ending.on, language)
    return ENDINGS[language][ending.how].format(day=day, after=document.version + 1)


def _instructions(text: str) -> str:
    """With its line breaks, unless there are so many that the item would outgrow the page."""
    lines = [line for line in printable_lines(text).split("\n") if line]
    return ("\n" if len(lines) <= _MOST_LINES else " / ").join(lines)


def _item(item: DocumentItem, language: Language) -> dict[str, Any]:
    """One medicine. Its directions are said in the other language too, so that a pharmacist reads
    either, and its figures also in words."""
    return {
        "medicine": printable_line(item.medicine),
        "strength": printable_line(item.strength),
        "is_controlled": item.is_controlled,
        "sig": dosage_sentence(item, language),
        "sig_other": dosage_sentence(item, _OTHER[language]),
        "instructions": _instructions(item.instructions),
        "quantity": "" if item.quantity is None else str(item.quantity),
        "quantity_words": "" if item.quantity is None else in_words(item.quantity, language),
        "refills": str(item.refills),
        "refills_words": in_words(item.refills, language),
    }


def _note(note: SafetyNote, language: Language) -> dict[str, str]:
    sentence = {"en": note.sentence_en, "ar": note.sentence_ar}[language]
    reason = {"en": note.reason_en, "ar": note.reason_ar}[language]
    return {"sentence": printable_line(sentence), "reason": printable_line(reason)}


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
        "number": printable_line(document.number),
        "version": LABELS[language]["version"].format(n=document.version),
        "version_replaces": _version(document.version, language),
        "mark": _mark(document, language),
        "mark_other": _mark(document, _OTHER[language]),
        "issued_on": [document.issued_on.year, document.issued_on.month, document.issued_on.day],
        "issued": written_day(document.issued_on, language),
        "valid_until": written_day(document.valid_until, language),
        "patient": printable_line(document.patient_name),
        "birth_date": "" if born is None else written_day(born, language),
        "sex": SEXES[language][document.patient_sex],
        "prescriber": printable_line(document.prescriber_name),
        "specialization": printable_line(specialization),
        "licence": printable_line(document.prescriber_licence_number),
        "diagnosis": printable_lines(document.diagnosis),
        "notes": printable_lines(document.notes),
        "items": [_item(item, language) for item in document.items],
        "safety": [_note(note, language) for note in document.safety],
        "medicine_count": counted(len(document.items), MEDICINE_COUNT[language], language),
        "host": urlsplit(document.verification_url).netloc,
        "qr": _qr_svg(document.verification_url) if document.verification_url else "",
        "fingerprint": _fingerprint(document.content_hash),
    }


def compiler_for(
    document: PrescriptionDocument, *, paper: Paper, language: Language
) -> typst.Compiler:
    """A compiler loaded with one document."""
    return paper_compiler(_TEMPLATE, _page_data(document, paper, language))


def render_prescription_pdf(
    document: PrescriptionDocument, *, paper: Paper, language: Language
) -> bytes:
    """The prescription as a tagged PDF/A; identical documents give identical bytes, for the
    creation date is the day of issue."""
    issued = datetime.combine(document.issued_on, time(), UTC)
    return typeset(lambda: compiler_for(document, paper=paper, language=language), at=issued)
