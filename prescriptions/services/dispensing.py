"""Handing out by the pharmacy that holds a prescription, and taking it back.

How a pharmacy comes to hold one is `claiming`; the patient's objection is `disputing`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import AccessEvent
from common.clock import clinic_date
from common.errors import DomainError, InvalidInput
from notifications.wording import Kind
from prescriptions.fills import Fill, fill_of
from prescriptions.models import (
    DispenseClaim,
    MedicationDispense,
    Prescription,
    PrescriptionItem,
)
from prescriptions.policies import check_can_dispense
from prescriptions.services import standing
from prescriptions.services.claims import (
    ClaimNotHeld,
    EndReason,
    end_claim,
    lock_held,
    log_claim,
    tell_patient,
)
from prescriptions.services.pharmacies import check_may_hand_out

Action = AccessEvent.Action


class TooMuch(DomainError):
    code = "too_much"
    detail = _("That is more than may be dispensed of it now.")


class AlreadyDispensed(DomainError):
    code = "already_dispensed"
    detail = _("This form has dispensed something else already. Reload the page.")


class TooLateToWithdraw(DomainError):
    code = "too_late"
    detail = _("What was dispensed can be withdrawn within an hour.")


@dataclass(frozen=True, slots=True)
class Line:
    """So much of the item at that position, from 1."""

    position: int
    quantity: int


@transaction.atomic
def dispense(*, secret: str, lines: Sequence[Line], client_id: UUID) -> DispenseClaim:
    """Hand out so much of these items, by who holds the prescription. Sent again with the same
    `client_id` it changes nothing. What is dispensed wholly, refills included, is completed,
    and the claim is over."""
    claim, prescription = lock_held(secret)
    now = timezone.now()
    if _was_sent_before(claim, lines, client_id):
        return claim
    if not claim.is_standing(now):
        raise ClaimNotHeld(attr="claim")
    check_can_dispense(prescription, clinic_date(now))
    _hand_out(claim, prescription, lines, client_id, at=now)
    log_claim(prescription, claim, Action.DISPENSED)
    tell_patient(prescription, Kind.PRESCRIPTION_DISPENSED)
    if all(fill.is_done for _item, fill in fills(prescription)):
        standing.complete(prescription, at=now)
        end_claim(prescription, claim, EndReason.COMPLETED, at=now)
    return claim


@transaction.atomic
def withdraw_dispense(*, secret: str, dispense_id: UUID) -> DispenseClaim:
    """Take back what was handed out, within an hour, by who did it; also after the claim. Twice
    does it once."""
    claim, prescription = lock_held(secret)
    now = timezone.now()
    dispensed = claim.dispenses.filter(pk=dispense_id).first()
    if dispensed is None:
        raise Http404
    if dispensed.withdrawn_at is not None:
        return claim
    if not dispensed.is_withdrawable(now):
        raise TooLateToWithdraw
    dispensed.withdrawn_at = now
    dispensed.save(update_fields=["withdrawn_at"])
    if prescription.status == Prescription.Status.COMPLETED:
        standing.reopen(prescription, at=now)
    log_claim(prescription, claim, Action.DISPENSE_WITHDRAWN)
    tell_patient(prescription, Kind.DISPENSE_WITHDRAWN)
    return claim


def fills(prescription: Prescription) -> list[tuple[PrescriptionItem, Fill]]:
    """Each item of a prescription, with how far it was dispensed; two queries."""
    items = prescription.items.prefetch_related("dispenses")
    return [(item, fill_of(item, item.dispenses.all())) for item in items]


def _hand_out(
    claim: DispenseClaim,
    prescription: Prescription,
    lines: Sequence[Line],
    client_id: UUID,
    *,
    at: dt.datetime,
) -> None:
    by_position = {item.position: (item, fill) for item, fill in fills(prescription)}
    _check_lines(lines, by_position, clinic_date(at))
    check_may_hand_out(claim, [by_position[line.position][0] for line in lines])
    for line in lines:
        item, _fill = by_position[line.position]
        MedicationDispense.objects.create(
            claim=claim,
            item=item,
            quantity=line.quantity,
            dispensed_at=at,
            client_id=client_id,
        )


def _check_lines(
    lines: Sequence[Line],
    by_position: dict[int, tuple[PrescriptionItem, Fill]],
    on: dt.date,
) -> None:
    positions = [line.position for line in lines]
    if not lines or len(set(positions)) < len(positions):
        raise InvalidInput(_("Name each medicine that is dispensed once."), attr="lines")
    for number, line in enumerate(lines):
        attr = f"lines.{number}.quantity"
        if line.position not in by_position or line.quantity < 1:
            raise InvalidInput(_("There is no such item, or no quantity."), attr=attr)
        if line.quantity > by_position[line.position][1].available(on):
            raise TooMuch(attr=attr)


def _was_sent_before(claim: DispenseClaim, lines: Sequence[Line], client_id: UUID) -> bool:
    sent = claim.dispenses.filter(client_id=client_id).select_related("item")
    before = {(dispensed.item.position, dispensed.quantity) for dispensed in sent}
    is_other = before != {(line.position, line.quantity) for line in lines}
    # What was withdrawn since is not on record, and the form must not be told that it is.
    if before and (is_other or any(dispensed.withdrawn_at for dispensed in sent)):
        raise AlreadyDispensed
    return bool(before)
