"""A pharmacy's hold on a prescription, and its end."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction

from audit.models import AccessEvent
from audit.services import record_access
from common.live import announce_change
from common.runs import each
from connections.models import DataCategory
from prescriptions.models import DispenseClaim, Prescription
from prescriptions.services import standing
from prescriptions.services.holding import lock_prescription
from prescriptions.services.refills import decline_stopped

EndReason = DispenseClaim.EndReason


def standing_claim(prescription: Prescription) -> DispenseClaim | None:
    """The hold on a prescription that is held still; its time may be over."""
    return prescription.claims.standing().first()


def end_overdue_claim(prescription: Prescription, *, at: dt.datetime) -> None:
    """A hold whose time is over keeps nobody from anything."""
    claim = standing_claim(prescription)
    if claim is not None and not claim.is_standing(at):
        end_claim(prescription, claim, EndReason.EXPIRED, at=at)


def end_claim(
    prescription: Prescription, claim: DispenseClaim, reason: EndReason, *, at: dt.datetime
) -> None:
    """End a hold; what was asked to be stopped meanwhile is stopped now."""
    claim.ended_at, claim.end_reason = at, reason
    claim.save(update_fields=["ended_at", "end_reason"])
    if prescription.is_stop_requested:
        _stop(prescription, at=at)
    _log_end(prescription, claim, reason)


def expire_claims(now: dt.datetime) -> int:
    """End the holds whose time is over; returns how many. Each for itself."""
    overdue = DispenseClaim.objects.overdue(now).order_by("expires_at")
    ids = overdue.values_list("prescription_id", flat=True).iterator()
    return each(ids, lambda pk: _expire(pk, now))


def log_claim(
    prescription: Prescription,
    claim: DispenseClaim,
    action: AccessEvent.Action,
    *,
    actor_id: UUID | None = None,
    basis: AccessEvent.Basis = AccessEvent.Basis.QR,
) -> AccessEvent:
    """Log what a pharmacy did, or another did to its hold, and let open pages show it."""
    announce_change(prescription.patient_id, DataCategory.PRESCRIPTIONS)
    return record_access(
        actor_id=actor_id,
        patient_id=prescription.patient_id,
        action=action,
        target=claim,
        basis=basis,
    )


def _log_end(prescription: Prescription, claim: DispenseClaim, reason: EndReason) -> None:
    """A hold ends by the clock, by the patient who did not know of it, or by the pharmacy."""
    action = AccessEvent.Action.RELEASED
    if reason == EndReason.EXPIRED:
        log_claim(prescription, claim, action, basis=AccessEvent.Basis.CARE)
    elif reason == EndReason.DISPUTED:
        patient_id, basis = prescription.patient_id, AccessEvent.Basis.SELF
        log_claim(prescription, claim, action, actor_id=patient_id, basis=basis)
    else:
        log_claim(prescription, claim, action)


def _stop(prescription: Prescription, *, at: dt.datetime) -> None:
    """As the prescriber has asked, of which the patient was told then."""
    standing.stop(prescription, at=at)
    decline_stopped(prescription, at=at)
    record_access(
        actor_id=prescription.doctor_id,
        patient_id=prescription.patient_id,
        action=AccessEvent.Action.STOPPED,
        target=prescription,
        basis=AccessEvent.Basis.CARE,
    )


@transaction.atomic
def _expire(prescription_id: UUID, now: dt.datetime) -> bool:
    prescription = lock_prescription(prescription_id)
    claim = standing_claim(prescription)
    if claim is None or claim.is_standing(now):
        return False
    end_claim(prescription, claim, EndReason.EXPIRED, at=now)
    return True
