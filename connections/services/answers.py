"""A doctor's answer to a request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.services.texts import checked_text
from common.errors import InvalidInput
from connections.models import Connection, ConnectionRequest
from connections.policies import check_can_answer, check_pair_is_open
from connections.services.connections import join, keep_availability
from connections.services.grants import Sharing
from connections.services.requests import close_request, lock_request

Status = ConnectionRequest.Status


@transaction.atomic
def accept_request(
    *,
    actor: Any,
    request_id: UUID,
    days: Sequence[str] = (),
    hours: tuple[dt.time, dt.time] | None = None,
) -> Connection:
    """Connect with the patient who asked, on what the patient chose to share, and say when the
    doctor can be reached. Of two acceptances at once, the second is told that it is answered."""
    pair, request = lock_request(actor=actor, request_id=request_id)
    check_can_answer(actor, request, timezone.now())
    check_pair_is_open(pair.patient, pair.doctor, pair.connection)
    now = timezone.now()
    close_request(request, Status.ACCEPTED, by=actor, at=now)
    connection = join(
        pair, origin=Connection.Origin.REQUEST, sharing=Sharing.of(request), by=actor, at=now
    )
    keep_availability(connection, days=days, hours=hours)
    connection.save(update_fields=["available_days", "available_from", "available_until"])
    return connection


@transaction.atomic
def reject_request(*, actor: Any, request_id: UUID, reason: str = "") -> ConnectionRequest:
    """Decline, with a reason that the patient reads, or without one."""
    reason = checked_text(reason, attr="reason", length=ConnectionRequest.REASON_LENGTH)
    if 0 < len(reason) < ConnectionRequest.SHORTEST_REASON:
        raise InvalidInput(
            _("Give a reason of at least %(n)s characters; the patient reads it.")
            % {"n": ConnectionRequest.SHORTEST_REASON},
            attr="reason",
        )
    _pair, request = lock_request(actor=actor, request_id=request_id)
    check_can_answer(actor, request, timezone.now())
    return close_request(request, Status.REJECTED, by=actor, reason=reason)
