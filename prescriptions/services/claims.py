"""A pharmacy's hold on a prescription: found by its secret, held still, ended.

How one is made is `claiming`, what is handed out by it `dispensing`.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import AccessEvent
from audit.services import record_access
from common import crypto
from common.errors import InvalidInput
from common.live import announce_change
from common.runs import each
from connections.models import DataCategory
from notifications.services import notify
from notifications.wording import Kind
from prescriptions.models import DispenseClaim, MedicationDispense, Prescription
from prescriptions.numbers import compact
from prescriptions.services import standing
from prescriptions.services.holding import lock_prescription
from prescriptions.services.refills import decline_stopped

EndReason = DispenseClaim.EndReason


class ClaimNotHeld(InvalidInput):
    code = "claim_not_held"
    detail = _("This claim is not known or is over. Scan the paper and claim it again.")


def secret_digest(secret: str) -> str:
    """How the secret of a claim is kept, however it was typed."""
    return crypto.blind_index(compact(secret), purpose="prescriptions.claim.secret")


def held_claim(secret: str) -> DispenseClaim:
    """The claim of that secret, while it is of use: as long as it stands, and as long as
    something dispensed by it could be withdrawn."""
    since = timezone.now() - MedicationDispense.WITHDRAWABLE
    claims = DispenseClaim.objects.select_related("prescription")
    found = claims.filter(secret_digest=secret_digest(secret)).first()
    if found is None or (found.ended_at or found.expires_at) < since:
        raise ClaimNotHeld(attr="claim")
    return found


def lock_held(secret: str) -> tuple[DispenseClaim, Prescription]:
    """The claim of that secret and its prescription, held; read anew under the lock."""
    seen = held_claim(secret)
    prescription = lock_prescription(seen.prescription_id)
    return DispenseClaim.objects.get(pk=seen.pk), prescription


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


def tell_patient(prescription: Prescription, kind: Kind) -> None:
    """Tell the patient at once what a pharmacy did; it leads to the prescription."""
    notify(recipient=prescription.patient, kind=kind, url=f"/prescriptions/{prescription.pk}")


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
