"""The secrets of a prescription's paper: its QR code, and the PIN that the patient knows."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import AccessEvent
from audit.services import record_access
from common import crypto
from common.errors import DomainError
from common.live import announce_change
from connections.models import DataCategory
from prescriptions.models import Prescription, ReplacedCode
from prescriptions.services.holding import lock_own

PIN_DIGITS = 6
CODE_COLUMNS = ["verification_code", "verification_digest", "pin", "wrong_pins", "code_made_at"]


class NoLongerPrinted(DomainError):
    code = "prescription_not_active"
    detail = _("This prescription is no longer in force, so its code cannot be replaced.")


class CodeReplaced(DomainError):
    code = "code_replaced"
    detail = _("Another code and PIN have been made meanwhile. Look at them before you make more.")


def put_codes_on(prescription: Prescription, *, at: dt.datetime) -> None:
    """Draw a secret for the paper and a PIN; what is on it already is lost."""
    code = crypto.new_secret()
    prescription.verification_code = code
    prescription.verification_digest = crypto.digest(code)
    prescription.pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"
    prescription.wrong_pins = 0
    prescription.code_made_at = at


@transaction.atomic
def reissue_code(
    *, actor: Any, prescription_id: UUID, code_made_at: dt.datetime | None = None
) -> Prescription:
    """Another QR code and another PIN, because a paper was lost or its PIN guessed at. The old
    paper then says that it was replaced, and nobody begins to dispense by it; a pharmacy that has
    claimed it goes on, until the patient says that it was not them.

    Who says which code it replaces, by when that one was made, makes no third by asking twice.
    """
    prescription = lock_own(actor=actor, prescription_id=prescription_id)
    if prescription.status != Prescription.Status.ACTIVE:
        raise NoLongerPrinted
    if code_made_at not in {None, prescription.code_made_at}:
        raise CodeReplaced
    replace_code(prescription, at=timezone.now())
    return prescription


def replace_code(prescription: Prescription, *, at: dt.datetime) -> None:
    """Give a prescription that its patient holds other secrets, and remember the old one as
    replaced."""
    ReplacedCode.objects.create(
        prescription=prescription, digest=prescription.verification_digest, replaced_at=at
    )
    put_codes_on(prescription, at=at)
    prescription.save(update_fields=CODE_COLUMNS)
    announce_change(prescription.patient_id, DataCategory.PRESCRIPTIONS)
    record_access(
        actor_id=prescription.patient_id,
        patient_id=prescription.patient_id,
        action=AccessEvent.Action.CODE_REISSUED,
        target=prescription,
        basis=AccessEvent.Basis.SELF,
    )
