"""Replacing a prescription by another version of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import AccessEvent
from common.errors import DomainError
from notifications.wording import Kind
from prescriptions.models import Prescription
from prescriptions.policies import check_can_amend
from prescriptions.services.claims import end_overdue_claim
from prescriptions.services.holding import lock_written
from prescriptions.services.issuing import (
    Order,
    check_order_is_whole,
    draft_of,
    issued_before,
    says_the_same,
    settle_safety,
    tell,
    unless_refused,
    write,
)
from prescriptions.services.refills import move_requests
from prescriptions.services.standing import supersede


class NothingChanged(DomainError):
    code = "nothing_changed"
    detail = _("Nothing has been changed yet.")


def amend_prescription(*, actor: Any, prescription_id: UUID, order: Order) -> Prescription:
    """Issue version n+1, which supersedes version n; returns the new one.

    Refused once anything was dispensed from it, while a pharmacy holds it, and when it is not
    active: then another prescription is issued. Refused, too, where it says what the version
    before says. What the patient asked for again is the new version from then on. Sent again with
    the same `client_id`, the same content returns the version it made.
    """
    return unless_refused(_amend(actor, prescription_id, order))


@transaction.atomic
def _amend(actor: Any, prescription_id: UUID, order: Order) -> Prescription | DomainError:
    connection, old = lock_written(actor=actor, prescription_id=prescription_id)
    now = timezone.now()
    check_order_is_whole(order)
    draft = draft_of(connection, order, now=now)
    draft.number, draft.version, draft.replaces = old.number, old.version + 1, old
    first = issued_before(draft, order)
    if first is not None:
        return first
    end_overdue_claim(old, at=now)
    check_can_amend(actor, connection, old, now)
    if says_the_same(order, old, on=draft.issued_on):
        raise NothingChanged
    refusal = settle_safety(draft, order, actor=actor, replaces=old)
    if refusal is not None:
        return refusal
    supersede(old, by=actor, at=now)
    issued = write(draft, order)
    move_requests(old, issued)
    tell(issued, AccessEvent.Action.AMENDED, Kind.PRESCRIPTION_AMENDED)
    return issued
