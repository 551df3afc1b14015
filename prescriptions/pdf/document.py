"""What is printed, as plain values: the caller reads its rows, this package never does."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DocumentItem:
    """One prescribed medicine. Route and frequency unit are the model's codes."""

    medicine: str
    strength: str
    route: str
    frequency: int | None
    frequency_unit: str
    as_needed: bool
    duration_days: int | None
    quantity: int | None
    refills: int
    instructions: str
    is_controlled: bool = False


@dataclass(frozen=True, slots=True)
class SafetyNote:
    """What the safety check found, in both languages. A warning has the prescriber's reason to
    prescribe all the same; what could not be checked has none."""

    sentence_en: str
    sentence_ar: str
    reason_en: str = ""
    reason_ar: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """That it ended for good, and when. How is the model's code."""

    how: str
    on: date


@dataclass(frozen=True, slots=True)
class PrescriptionDocument:
    """One version of one prescription. Paper is static, so it says of its state only that it
    ended for good; what has ended proves nothing and is signed by nobody. Without a
    `verification_url` it is a copy for reading."""

    number: str
    version: int
    issued_on: date
    valid_until: date
    patient_name: str
    patient_birth_date: date | None
    patient_sex: str
    prescriber_name: str
    prescriber_specialization_en: str
    prescriber_specialization_ar: str
    prescriber_licence_number: str
    diagnosis: str
    notes: str
    items: tuple[DocumentItem, ...]
    verification_url: str
    content_hash: str
    safety: tuple[SafetyNote, ...] = ()
    ending: Ending | None = None
