"""The patient objects: they were in no pharmacy."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit.models import AccessEvent
from common.errors import DomainError
from connections.services.cases import object_to
from prescriptions.models import DispenseClaim, Prescription
from prescriptions.services.claims import EndReason, end_claim
from prescriptions.services.codes import replace_code
from prescriptions.services.holding import lock_own

A_DAY = dt.timedelta(days=1)
DISPUTES_A_DAY = 10


class TooManyDisputes(DomainError):
    code = "too_many_disputes"
    detail = _(
        "You have said so of ten pharmacies within a day. Wait until tomorrow with the next; "
        "until then, a new code and PIN keep other pharmacies from your prescription."
    )
    status_code = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


@transaction.atomic
def dispute_claim(*, actor: Any, prescription_id: UUID, claim_id: UUID) -> Prescription:
    """The patient says that they were in no pharmacy: the claim ends, the paper is replaced,
    and administrators are asked to look into it. Twice does it once.

    The paper is replaced also where all of it was handed out: it is in force again when that is
    withdrawn. Each replaces a paper and calls administrators, and anybody with a paper and its PIN
    can make a claim: so there is a limit, apart from that of questions, which keep nobody from
    objecting. Raises `TooManyDisputes`.
    """
    prescription = lock_own(actor=actor, prescription_id=prescription_id)
    claim = prescription.claims.filter(pk=claim_id).first()
    if claim is None:
        raise Http404
    if claim.disputed_at is not None:
        return prescription
    now = timezone.now()
    _check_rate(prescription.patient, now)
    if claim.ended_at is None:
        end_claim(prescription, claim, EndReason.DISPUTED, at=now)
    claim.disputed_at = now
    claim.save(update_fields=["disputed_at"])
    if prescription.status != Prescription.Status.ENTERED_IN_ERROR:
        replace_code(prescription, at=now)
    _question(actor, claim)
    return prescription


def _check_rate(patient: User, now: dt.datetime) -> None:
    """Counted with the patient's row locked, so that no two are said beside each other."""
    mine = DispenseClaim.objects.filter(prescription__patient=patient)
    lately = mine.filter(disputed_at__gt=now - A_DAY).order_by("-disputed_at")
    said = [claim.disputed_at for claim in lately[:DISPUTES_A_DAY] if claim.disputed_at]
    if len(said) == DISPUTES_A_DAY:
        raise TooManyDisputes(max(1, int((said[-1] + A_DAY - now).total_seconds())))


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
