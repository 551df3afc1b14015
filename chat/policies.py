"""Who may open a chat, say something in it, and know whether somebody is there."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from accounts.policies import check_is_active
from chat.models import Chat, Message
from common.errors import DomainError, NotAllowed
from connections.models import Connection
from connections.policies import ConnectionEnded, DoctorNotAvailable, PatientNotAvailable


class AlreadyRetracted(DomainError):
    code = "already_retracted"
    detail = _("This message has been withdrawn already.")


class NothingAwaited(DomainError):
    code = "nothing_awaited"
    detail = _("Nobody waits for an answer here.")


def check_can_converse(actor: Any, connection: Connection) -> None:
    """One of the two, while the connection stands and neither account is closed. Of the actor
    this asks as well, so that no surface has to."""
    check_is_active(actor, role=actor.role)
    if actor.pk not in {connection.patient_id, connection.doctor_id}:
        raise NotAllowed
    if not connection.is_active:
        raise ConnectionEnded
    other = connection.other_side(actor)
    if not other.is_in_good_standing:
        raise DoctorNotAvailable if other.is_doctor else PatientNotAvailable


def can_converse(actor: Any, connection: Connection) -> bool:
    try:
        check_can_converse(actor, connection)
    except DomainError:
        return False
    return True


def check_can_retract(actor: Any, message: Message) -> None:
    """Who said it, while something can be said there, once."""
    check_can_converse(actor, message.chat.connection)
    if message.sender_id != actor.pk:
        raise NotAllowed
    if message.kind != Message.Kind.MESSAGE or message.is_retracted:
        raise AlreadyRetracted


def can_retract(actor: Any, message: Message) -> bool:
    try:
        check_can_retract(actor, message)
    except DomainError:
        return False
    return True


def check_can_settle(actor: Any, chat: Chat) -> None:
    """The doctor, where a patient waits for an answer; also of one whose account was closed
    since, whom no answer reaches."""
    check_is_active(actor, role=Role.DOCTOR)
    if actor.pk != chat.doctor_id:
        raise NotAllowed
    if not chat.is_live:
        raise ConnectionEnded
    if chat.awaiting_since is None:
        raise NothingAwaited


def check_can_prepare(actor: Any) -> None:
    """Doctors keep prepared replies, and say when they are away."""
    check_is_active(actor, role=Role.DOCTOR)
