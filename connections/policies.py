"""Who may ask, connect, end, block, and let somebody see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceSession, Role, User
from accounts.policies import check_is_active, check_may_administer, is_active
from audit.models import AccessCase, AccessEvent
from common.errors import DomainError, NotAllowed
from connections.models import AccessGrant, Connection, ConnectionRequest


class DoctorNotAvailable(DomainError):
    code = "doctor_not_available"
    detail = _("This doctor does not take patients here at present.")


class PatientNotAvailable(DomainError):
    code = "patient_not_available"
    detail = _("The account of this patient is not open at present.")


class AlreadyConnected(DomainError):
    code = "already_connected"
    detail = _("You are connected already.")


class AlreadyRequested(DomainError):
    code = "already_requested"
    detail = _("You have asked this doctor already. Wait for the answer, or withdraw it.")


class YouBlocked(DomainError):
    code = "you_blocked"
    detail = _("You have blocked this person. Unblock them first.")


class ConnectionEnded(DomainError):
    code = "connection_ended"
    detail = _("This connection has ended.")


class RequestClosed(DomainError):
    code = "request_closed"
    detail = _("This request has been answered, withdrawn or has expired.")


class NotBlocked(DomainError):
    code = "not_blocked"
    detail = _("You do not block this person.")


def check_can_connect(actor: Any, doctor: User, existing: Connection | None) -> None:
    """A patient in good standing, with a doctor in good standing, where neither blocked. Whoever
    was blocked learns no more than that this doctor is not to be had."""
    check_is_active(actor, role=Role.PATIENT)
    check_pair_is_open(actor, doctor, existing)


def check_can_request(
    actor: Any, doctor: User, existing: Connection | None, *, is_waiting: bool
) -> None:
    """As for connecting, and once at a time."""
    check_can_connect(actor, doctor, existing)
    if is_waiting:
        raise AlreadyRequested


def check_may_try(
    actor: Any, doctor: User, existing: Connection | None, *, is_waiting: bool
) -> None:
    """What keeps a patient from asking, as far as the patient may know. Whom the doctor blocks is
    offered to ask like whom the doctor declined, and only asking is refused."""
    check_is_active(actor, role=Role.PATIENT)
    check_pair_looks_open(actor, doctor, existing)
    if is_waiting:
        raise AlreadyRequested


def may_try(actor: Any, doctor: User, existing: Connection | None, *, is_waiting: bool) -> bool:
    try:
        check_may_try(actor, doctor, existing, is_waiting=is_waiting)
    except DomainError:
        return False
    return True


def check_pair_is_open(patient: User, doctor: User, existing: Connection | None) -> None:
    """These two may be connected, and are not."""
    check_pair_looks_open(patient, doctor, existing)
    if existing is not None and existing.status == Connection.Status.BLOCKED:
        raise DoctorNotAvailable


def check_pair_looks_open(patient: User, doctor: User, existing: Connection | None) -> None:
    """The same as far as the patient may know it: that the doctor blocks them is not told."""
    if not (doctor.is_doctor and doctor.is_in_good_standing):
        raise DoctorNotAvailable
    if not patient.is_in_good_standing:
        raise PatientNotAvailable
    if existing is None:
        return
    if existing.blocked_at(patient):
        raise YouBlocked
    if existing.is_active:
        raise AlreadyConnected


def check_can_answer(actor: Any, request: ConnectionRequest, at: dt.datetime) -> None:
    """The doctor who was asked, in good standing, while the request waits."""
    check_is_active(actor, role=Role.DOCTOR)
    if request.doctor_id != actor.pk:
        raise NotAllowed
    check_is_open(request, at)


def check_can_cancel(actor: Any, request: ConnectionRequest, at: dt.datetime) -> None:
    """The patient who asked, while the request waits."""
    check_is_active(actor, role=Role.PATIENT)
    if request.patient_id != actor.pk:
        raise NotAllowed
    check_is_open(request, at)


def check_is_open(request: ConnectionRequest, at: dt.datetime) -> None:
    if not request.is_open(at):
        raise RequestClosed


def can_answer(actor: Any, request: ConnectionRequest, at: dt.datetime) -> bool:
    is_asked = is_active(actor, role=Role.DOCTOR) and request.doctor_id == actor.pk
    return is_asked and request.is_open(at)


def can_cancel(actor: Any, request: ConnectionRequest, at: dt.datetime) -> bool:
    has_asked = is_active(actor, role=Role.PATIENT) and request.patient_id == actor.pk
    return has_asked and request.is_open(at)


def check_can_end(actor: Any, connection: Connection) -> None:
    """Either side, while it stands."""
    check_is_active(actor, role=actor.role)
    if not connection.is_active:
        raise ConnectionEnded


def check_can_block(actor: Any) -> None:
    """Patients, and doctors."""
    check_is_active(actor, role=actor.role)
    if actor.role not in {Role.PATIENT, Role.DOCTOR}:
        raise NotAllowed


def check_can_unblock(actor: Any, connection: Connection) -> None:
    """Whoever blocked."""
    check_is_active(actor, role=actor.role)
    if not connection.blocked_at(actor):
        raise NotBlocked


def check_can_set_availability(actor: Any, connection: Connection) -> None:
    """The connection's doctor, while it stands."""
    check_is_active(actor, role=Role.DOCTOR)
    if actor.pk != connection.doctor_id:
        raise NotAllowed
    if not connection.is_active:
        raise ConnectionEnded


def check_can_grant(actor: Any, connection: Connection) -> None:
    """The connection's patient, while it stands."""
    check_is_active(actor, role=Role.PATIENT)
    if actor.pk != connection.patient_id:
        raise NotAllowed
    if not connection.is_active:
        raise ConnectionEnded


def check_owns_grant(actor: Any, grant: AccessGrant) -> None:
    """The patient who gave it."""
    check_is_active(actor, role=Role.PATIENT)
    if actor.pk != grant.connection.patient_id:
        raise NotAllowed


def can_grant(actor: Any, connection: Connection) -> bool:
    is_theirs = is_active(actor, role=Role.PATIENT) and actor.pk == connection.patient_id
    return is_theirs and connection.is_active


class OwnAct(DomainError):
    code = "own_act"
    detail = _("This was you. Only what others did is questioned.")


class AlreadyQuestioned(DomainError):
    code = "already_questioned"
    detail = _("You have asked about this already. The answer is still to come.")


class CaseAnswered(DomainError):
    code = "case_answered"
    detail = _("This question has been answered by now.")


def check_can_question(event: AccessEvent, cases: Sequence[AccessCase]) -> None:
    """What somebody else did, of the patient's own log; again once it was answered. `cases` are
    those of the event."""
    if event.basis == AccessEvent.Basis.SELF:
        raise OwnAct
    if any(case.is_open for case in cases):
        raise AlreadyQuestioned


def can_question(event: AccessEvent, cases: Sequence[AccessCase]) -> bool:
    try:
        check_can_question(event, cases)
    except DomainError:
        return False
    return True


def check_can_handle_case(session: DeviceSession, case: AccessCase) -> None:
    """An administrator, who is not the patient that asks."""
    check_may_administer(session)
    if case.patient_id == session.user_id:
        raise NotAllowed(_("Another administrator handles what you have asked."))


def check_can_answer_case(session: DeviceSession, case: AccessCase) -> None:
    """Once, and not by whose act is questioned."""
    check_can_handle_case(session, case)
    if case.event.actor_id == session.user_id:
        raise NotAllowed(_("Your own act is questioned. Another administrator answers."))
    if not case.is_open:
        raise CaseAnswered
