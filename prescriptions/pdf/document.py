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


@dataclass(frozen=True, slots=True)
class PrescriptionDocument:
    """One version of one prescription. Paper is static, so it holds no state that can change."""

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
