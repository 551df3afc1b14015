"""An account enters another status: one way, whoever decides and why."""

from __future__ import annotations

from accounts.models import CLOSED, Status, StatusChange, User
from accounts.services.codes import close_resets
from accounts.services.sessions import end_sessions


def enter_status(
    user: User, status: Status, *, actor: User, reason: str = "", reason_code: str = ""
) -> User:
    """Record who, when and why; where the account closes, every session of it ends, and
    so does what was mailed for another password, also if it is opened again.

    The caller holds the row's lock and has asked its policy.
    """
    StatusChange.objects.create(
        user=user,
        from_status=user.status,
        to_status=status,
        changed_by=actor,
        reason_code=reason_code,
        reason=reason,
    )
    user.status = status
    user.save(update_fields=["status"])
    if status in CLOSED:
        close_resets(user)
        end_sessions(user, reason="account_closed")
    return user
