"""The patient objects: they were in no pharmacy."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext

from audit.models import AccessEvent
from connections.services.cases import object_to
from prescriptions.models import DispenseClaim, Prescription
from prescriptions.services.claims import EndReason, end_claim
from prescriptions.services.codes import replace_code
from prescriptions.services.holding import lock_own


@transaction.atomic
def dispute_claim(*, actor: Any, prescription_id: UUID, claim_id: UUID) -> Prescription:
    """The patient says that they were in no pharmacy: the claim ends, the paper is replaced,
    and administrators are asked to look into it. Twice does it once.

    The paper is replaced also where all of it was handed out: it is in force again when that is
    withdrawn.
    """
    prescription = lock_own(actor=actor, prescription_id=prescription_id)
    claim = prescription.claims.filter(pk=claim_id).first()
    if claim is None:
        raise Http404
    if claim.disputed_at is not None:
        return prescription
    now = timezone.now()
    if claim.ended_at is None:
        end_claim(prescription, claim, EndReason.DISPUTED, at=now)
    claim.disputed_at = now
    claim.save(update_fields=["disputed_at"])
    if prescription.status != Prescription.Status.ENTERED_IN_ERROR:
        replace_code(prescription, at=now)
    _question(actor, claim)
    return prescription


def _question(patient: Any, claim: DispenseClaim) -> None:
    """Ask administrators about the first act of that pharmacy, or if need be the reading by which
    it came to its claim, that no other question is waiting about."""
    mine = AccessEvent.objects.visible_to(patient).filter(basis=AccessEvent.Basis.QR)
    acts = list(mine.filter(object_id=claim.pk).order_by("seq"))
    readings = mine.filter(object_id=claim.prescription_id, action=AccessEvent.Action.READ)
    acts += readings.filter(seq__lt=acts[0].seq).order_by("-seq")[:1]
    object_to(
        actor=patient,
        events=acts,
        objection=gettext("I was in no pharmacy: somebody else used my prescription."),
    )
