"""What a pharmacist shows to see a prescription: the paper's secret, and the patient's PIN.

Who typed the right PIN gets a pass: a signed text, good for half an hour and until the patient
replaces the code. It travels in bodies only, never in an address, and no browser sends it by
itself, so nobody can be made to use it.
"""

from __future__ import annotations

import datetime as dt
import secrets
import unicodedata
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from audit.models import AccessEvent
from audit.services import record_access
from common.clock import clinic_date
from common.errors import DomainError, InvalidInput
from notifications.services import notify
from notifications.wording import Kind
from prescriptions.models import Prescription
from prescriptions.policies import check_can_dispense
from prescriptions.services.holding import lock_prescription

SALT = "prescriptions.pass"
PASS_LASTS = dt.timedelta(minutes=30)


class CodeUnknown(InvalidInput):
    code = "code_unknown"
    detail = _("This code is not one of ours, or it was replaced. Scan the paper again.")


class WrongPin(InvalidInput):
    code = "wrong_pin"
    detail = _("This PIN is not right. Ask the patient for it.")


class PinLocked(DomainError):
    code = "pin_locked"
    detail = _(
        "A wrong PIN was entered too often, so this paper opens no more. The patient can make "
        "a new code and PIN in MediSync."
    )


class NotAsIssued(DomainError):
    code = "not_as_issued"
    detail = _("What is stored is not what was issued. Do not dispense from it.")


class PassNotValid(InvalidInput):
    code = "pass_not_valid"
    detail = _("Too much time has passed, or the paper was replaced. Enter the PIN again.")


def open_with_pin(*, code: str, pin: str) -> tuple[Prescription, str]:
    """The prescription of a paper, for whoever knows its PIN, with a pass to claim it; that it
    was read is logged, and so is each wrong PIN. What cannot be dispensed is not opened. Of a
    paper no more than `PIN_TRIES` wrong PINs are taken in its life, whenever they come."""
    prescription, refused = _try_pin(code, pin)
    if refused is not None:
        raise refused
    return prescription, _pass(prescription)


def lock_passed(text: str) -> Prescription:
    """Hold the prescription that a pass opens."""
    prescription_id, digest = _opened(text)
    prescription = lock_prescription(prescription_id)
    if not constant_time_compare(digest, prescription.verification_digest):
        raise PassNotValid(attr="pass")
    return prescription


def check_can_open(prescription: Prescription) -> None:
    """It can be dispensed, and is as it was issued."""
    check_can_dispense(prescription, clinic_date())
    if not prescription.is_intact():
        raise NotAsIssued


@transaction.atomic
def _try_pin(code: str, pin: str) -> tuple[Prescription, DomainError | None]:
    """Returns a refusal instead of raising it: the try that it counts must be kept."""
    seen = Prescription.objects.by_verification_code(code).first()
    if seen is None:
        raise CodeUnknown(attr="code")
    prescription = lock_prescription(seen.pk)
    if prescription.verification_digest != seen.verification_digest:
        raise CodeUnknown(attr="code")
    check_can_open(prescription)
    if prescription.is_pin_locked:
        return prescription, PinLocked()
    if not constant_time_compare(_digits(pin), prescription.pin):
        return prescription, _wrong(prescription)
    _log(prescription, AccessEvent.Action.READ)
    return prescription, None


def _digits(typed: str) -> str:
    """From 0 to 9, on whichever keyboard they were typed."""
    return "".join(str(unicodedata.decimal(character, "")) for character in typed)


def _wrong(prescription: Prescription) -> DomainError:
    prescription.wrong_pins += 1
    prescription.save(update_fields=["wrong_pins"])
    _log(prescription, AccessEvent.Action.PIN_REFUSED)
    if not prescription.is_pin_locked:
        return WrongPin(attr="pin")
    notify(
        recipient=prescription.patient,
        kind=Kind.PRESCRIPTION_LOCKED,
        url=f"/prescriptions/{prescription.pk}",
    )
    return PinLocked()


def _log(prescription: Prescription, action: AccessEvent.Action) -> None:
    record_access(
        actor_id=None,
        patient_id=prescription.patient_id,
        action=action,
        target=prescription,
        basis=AccessEvent.Basis.QR,
    )


def _pass(prescription: Prescription) -> str:
    # With something random, so that no two who open it in the same second get the same pass.
    content = [str(prescription.pk), prescription.verification_digest, secrets.token_urlsafe(9)]
    return signing.dumps(content, salt=SALT)


def _opened(text: str) -> tuple[UUID, str]:
    try:
        prescription_id, digest, _random = signing.loads(text, salt=SALT, max_age=PASS_LASTS)
    except signing.BadSignature as error:
        raise PassNotValid(attr="pass") from error
    return UUID(prescription_id), digest
