"""Verifying a prescription by its QR code."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import models
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Status
from audit.models import AccessEvent
from audit.services import record_access
from common.clock import clinic_date
from prescriptions.models import Prescription, StopReason
from prescriptions.policies import can_dispense
from prescriptions.services.claims import standing_claim

State = Prescription.State


class Outcome(models.TextChoices):
    """What verification finds. Only `AUTHENTIC` paper may be relied on."""

    AUTHENTIC = "authentic", _("Authentic")
    ALTERED = "altered", _("Not as issued")
    REPLACED = "replaced", _("Replaced by a newer print")
    UNKNOWN = "unknown", _("Not known here")


class StopClass(models.TextChoices):
    """Why it was stopped, as far as that is anybody's business."""

    MEDICAL = "MEDICAL", _("A medical reason")
    NOT_NEEDED = "NOT_NEEDED", _("It is no longer needed")
    OTHER = "OTHER", _("Another reason")


STOP_CLASSES = {
    StopReason.NOT_NEEDED: StopClass.NOT_NEEDED,
    StopReason.PATIENT_REQUEST: StopClass.NOT_NEEDED,
    StopReason.OTHER: StopClass.OTHER,
}


@dataclass(frozen=True, slots=True)
class Verification:
    """What a paper is. `held_until` is set while a pharmacy dispenses it, `current_version` is
    the one in force where this is an older one."""

    outcome: Outcome
    prescription: Prescription | None = None
    held_until: dt.datetime | None = None
    current_version: int | None = None

    @property
    def state(self) -> State | None:
        if self.prescription is None:
            return None
        return self.prescription.state(clinic_date())

    @property
    def is_prescriber_suspended(self) -> bool | None:
        """Whether who issued it is suspended now. It stays authentic: at issue they were not."""
        if self.prescription is None:
            return None
        return bool(self.prescription.doctor.status == Status.SUSPENDED)

    @property
    def is_stop_requested(self) -> bool | None:
        """Whether it is to be stopped as soon as the pharmacy that holds it gives it back."""
        return None if self.prescription is None else self.prescription.is_stop_requested

    @property
    def is_locked(self) -> bool | None:
        """Whether its PIN was guessed at too often."""
        return None if self.prescription is None else self.prescription.is_pin_locked

    @property
    def opens(self) -> bool:
        """Whether the right PIN opens it."""
        if self.prescription is None or self.outcome != Outcome.AUTHENTIC:
            return False
        return can_dispense(self.prescription, clinic_date()) and not self.is_locked

    @property
    def stop_class(self) -> StopClass | None:
        """Roughly why it was stopped. The reason itself may tell of an illness."""
        if self.prescription is None or self.state != State.STOPPED:
            return None
        return STOP_CLASSES.get(StopReason(self.prescription.status_reason), StopClass.MEDICAL)

    @property
    def ended_on(self) -> dt.date | None:
        """Since when it is not in force any more, by what somebody did."""
        if self.state in {None, State.ACTIVE, State.EXPIRED}:
            return None
        at = self.prescription.status_at if self.prescription else None
        return clinic_date(at) if at else None

    @property
    def caution(self) -> str | None:
        """What whoever holds authentic paper should know besides."""
        if self.outcome == Outcome.AUTHENTIC and self.is_prescriber_suspended:
            return gettext(
                "The prescriber's account is suspended. Ask the clinic or the patient's doctor "
                "before you dispense."
            )
        return None


def verify_prescription(*, code: str, version: int, content_hash: str) -> Verification:
    """Whether a paper is one of ours, unaltered. Needs no account; every look is logged.

    Authentic means: the secret is known, the version and the start of the content hash that
    the paper carries are those issued, and the stored rows still have that hash.
    """
    prescription = Prescription.objects.by_verification_code(code).with_items().first()
    if prescription is None:
        return _replaced(code)
    _log(prescription)
    claims_fit = version == prescription.version and constant_time_compare(
        content_hash, prescription.printed_hash
    )
    if not (claims_fit and prescription.is_intact()):
        return Verification(Outcome.ALTERED, prescription)
    return Verification(
        Outcome.AUTHENTIC, prescription, _held_until(prescription), _current_version(prescription)
    )


def _replaced(code: str) -> Verification:
    """Paper that is not known, or was ours until the patient made another code. Whoever holds
    such an old print learns no more than that."""
    prescription = Prescription.objects.by_replaced_code(code).first()
    if prescription is None:
        return Verification(Outcome.UNKNOWN)
    _log(prescription)
    return Verification(Outcome.REPLACED)


def _log(prescription: Prescription) -> None:
    record_access(
        actor_id=None,
        patient_id=prescription.patient_id,
        action=AccessEvent.Action.VERIFIED,
        target=prescription,
        basis=AccessEvent.Basis.QR,
    )


def _held_until(prescription: Prescription) -> dt.datetime | None:
    if prescription.status != Prescription.Status.ACTIVE:
        return None
    claim = standing_claim(prescription)
    return claim.expires_at if claim and claim.is_standing(timezone.now()) else None


def _current_version(prescription: Prescription) -> int | None:
    if prescription.status != Prescription.Status.SUPERSEDED:
        return None
    newest = Prescription.objects.versions_of(prescription.number).first()
    return newest.version if newest else None
