"""What a pharmacist reads: a prescription that a PIN or a claim has opened.

The verbs themselves are those of `claiming` and `dispensing` in `prescriptions.services`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from audit.models import AccessEvent
from audit.services import record_access
from common.clock import clinic_date
from common.languages import spoken
from prescriptions import safety
from prescriptions.fills import Fill
from prescriptions.models import (
    DispenseClaim,
    MedicationDispense,
    Prescription,
    PrescriptionItem,
)
from prescriptions.services.claims import held_claim
from prescriptions.services.dispensing import fills
from prescriptions.services.pins import check_can_open, lock_passed, open_with_pin
from prescriptions.sig import dosage_sentence

# As much as is read of a pass, and of a secret that somebody types with spaces and hyphens.
PASS_LENGTH = 500
SECRET_TYPED_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Medicine:
    """One item, and how far it was dispensed. `available` may be handed out today."""

    item: PrescriptionItem
    fill: Fill
    available: int

    @property
    def name(self) -> str:
        return f"{self.item.medicine} {self.item.strength}".strip()

    @property
    def dosage_en(self) -> str:
        return dosage_sentence(self.item, "en")

    @property
    def dosage_ar(self) -> str:
        return dosage_sentence(self.item, "ar")

    @property
    def opens_on(self) -> dt.date | None:
        """The day of the next refill, where it is still to come."""
        return self.fill.opens_on if self.fill.left and not self.available else None


@dataclass(frozen=True, slots=True)
class Finding:
    """What the safety check found, in words, and why it was prescribed all the same."""

    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """All that a pharmacist needs of a prescription. Not its diagnosis."""

    prescription: Prescription
    medicines: list[Medicine]

    @property
    def birth_year(self) -> int:
        return int(self.prescription.patient.patient_profile.birth_date.year)

    @property
    def findings(self) -> list[Finding]:
        """What may not be named stays unnamed, as it was to the prescriber."""
        return list(_findings(self.prescription))

    @property
    def is_anything_due(self) -> bool:
        return any(medicine.available for medicine in self.medicines)


@dataclass(frozen=True, slots=True)
class Opened:
    """A prescription with the pass that the right PIN gave."""

    passed: str
    content: Content


@dataclass(frozen=True, slots=True)
class Handed:
    """What was handed out by one claim, of one item, at one time."""

    dispense: MedicationDispense
    is_withdrawable: bool


@dataclass(frozen=True, slots=True)
class HeldContent:
    """A claim as its holder sees it: the prescription while it stands, and always what was
    handed out by it."""

    claim: DispenseClaim
    handed: list[Handed]
    content: Content | None

    @property
    def is_stop_requested(self) -> bool:
        return self.claim.prescription.is_stop_requested


def open_paper(*, code: str, pin: str) -> Opened:
    """See what a paper prescribes, by the patient's PIN."""
    prescription, passed = open_with_pin(code=code, pin=pin)
    return Opened(passed, content_of(prescription))


@transaction.atomic
def read_passed(*, passed: str) -> Content:
    """The same once more by the pass, which is the same reading and logged already. What was
    stopped meanwhile, or replaced by another version, is not shown any more."""
    prescription = lock_passed(passed)
    check_can_open(prescription)
    return content_of(prescription)


@transaction.atomic
def read_claim(*, secret: str) -> DispenseClaim:
    """Come back to a claim by its secret. That it is read again is logged while it stands;
    afterwards it shows no prescription any more."""
    claim = held_claim(secret)
    if claim.is_standing(timezone.now()):
        record_access(
            actor_id=None,
            patient_id=claim.prescription.patient_id,
            action=AccessEvent.Action.READ,
            target=claim.prescription,
            basis=AccessEvent.Basis.QR,
        )
    return claim


def held_content(claim: DispenseClaim) -> HeldContent:
    """What the holder of a claim sees of it."""
    now = timezone.now()
    prescription = Prescription.objects.with_items().get(pk=claim.prescription_id)
    claim.prescription = prescription
    dispenses = claim.dispenses.select_related("item").order_by("pk")
    handed = [Handed(dispense, dispense.is_withdrawable(now)) for dispense in dispenses]
    standing = claim.is_standing(now)
    return HeldContent(claim, handed, content_of(prescription) if standing else None)


def content_of(prescription: Prescription) -> Content:
    today = clinic_date()
    medicines = [Medicine(item, fill, fill.available(today)) for item, fill in fills(prescription)]
    return Content(prescription, medicines)


def _findings(prescription: Prescription) -> Iterator[Finding]:
    report, language = safety.from_json(prescription.safety), spoken()
    reader = safety.Reader.PHARMACY
    for warning in report.warnings:
        reason = safety.reason_sentence(warning, language)
        yield Finding(safety.sentence(warning, language, reader), reason)
    for unchecked in report.unchecked:
        yield Finding(safety.sentence(unchecked, language, reader))
