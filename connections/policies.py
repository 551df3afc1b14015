"""Who may connect, and who may end it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User
from accounts.policies import check_is_active
from common.errors import DomainError
from connections.models import Connection


class DoctorNotAvailable(DomainError):
    code = "doctor_not_available"
    detail = _("This doctor does not take patients here at present.")


class AlreadyConnected(DomainError):
    code = "already_connected"
    detail = _("You are connected already.")


class ConnectionBlocked(DomainError):
    code = "connection_blocked"
    detail = _("This connection cannot be made.")


class ConnectionEnded(DomainError):
    code = "connection_ended"
    detail = _("This connection has ended.")


def check_can_connect(actor: Any, doctor: User, existing: Connection | None) -> None:
    """A patient in good standing, with a doctor in good standing, where neither blocked."""
    check_is_active(actor, role=Role.PATIENT)
    if not (doctor.is_doctor and doctor.is_in_good_standing):
        raise DoctorNotAvailable
    if existing is None:
        return
    if existing.status == Connection.Status.BLOCKED:
        raise ConnectionBlocked
    if existing.is_active:
        raise AlreadyConnected


def check_can_end(actor: Any, connection: Connection) -> None:
    """Either side, while it stands."""
    check_is_active(actor, role=actor.role)
    if not connection.is_active:
        raise ConnectionEnded
