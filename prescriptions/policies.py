"""Who may prescribe."""

from __future__ import annotations

from typing import Any

from accounts.models import Role
from accounts.policies import check_is_active, is_active
from common.errors import NotAllowed
from connections.models import Connection
from connections.policies import ConnectionEnded


def check_can_issue(actor: Any, connection: Connection) -> None:
    """The connection's own doctor, in good standing, while it stands and the patient's
    account does too."""
    check_is_active(actor, role=Role.DOCTOR)
    if actor.pk != connection.doctor_id:
        raise NotAllowed
    if not (connection.is_active and connection.patient.is_in_good_standing):
        raise ConnectionEnded


def can_issue(actor: Any, connection: Connection) -> bool:
    return (
        is_active(actor, role=Role.DOCTOR)
        and actor.pk == connection.doctor_id
        and connection.is_active
        and bool(connection.patient.is_in_good_standing)
    )
