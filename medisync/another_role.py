"""Giving somebody another role, in every app that knows them by the one they had."""

from __future__ import annotations

from uuid import UUID

from accounts.models import AccountChange, DeviceSession
from accounts.services.changes import approve_change
from connections.services.connections import end_connections
from connections.services.request_contents import close_requests


def approve_everywhere(*, session: DeviceSession, change_id: UUID, note: str = "") -> AccountChange:
    """As `approve_change`. Who takes another role is nobody's doctor or patient any more: what
    joins them to others ends, and what waits for an answer is closed, pair by pair after the
    change: whoever asks or connects from then on is refused."""
    change = approve_change(session=session, change_id=change_id, note=note)
    if change.kind == AccountChange.Kind.ROLE:
        close_requests(user=change.user, by=session.user)
        end_connections(user=change.user, by=session.user)
    return change
