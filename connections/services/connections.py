"""Connecting, parting and blocking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import DoctorProfile, Role, User
from audit.models import AccessEvent
from audit.services import record_access
from common.errors import InvalidInput
from common.live import announce, user_group
from common.runs import each
from connections.models import Connection, ConnectionRequest, Weekday
from connections.policies import (
    check_can_block,
    check_can_connect,
    check_can_end,
    check_can_set_availability,
    check_can_unblock,
)
from connections.services.grants import NOTHING, Sharing, check_sharing, end_grant, open_grant
from connections.services.pairs import Pair, basis_of, lock_connection, lock_pair, lock_pair_of
from connections.services.requests import close_overdue, close_request
from notifications.services import notify
from notifications.wording import Kind


@transaction.atomic
def connect(
    *,
    actor: Any,
    doctor_id: UUID,
    origin: Connection.Origin,
    sharing: Sharing = NOTHING,
) -> Connection:
    """Join the acting patient with a doctor; a connection that ended is taken up again.

    A request of the two that waits is answered by it.
    """
    check_sharing(sharing, now=timezone.now())
    pair = lock_pair(patient_id=actor.pk, doctor_id=doctor_id)
    check_can_connect(pair.patient, pair.doctor, pair.connection)
    now = timezone.now()
    close_overdue(pair, now)
    if pair.waiting is not None:
        accepted = ConnectionRequest.Status.ACCEPTED
        close_request(pair.waiting, accepted, by=pair.patient, at=now, tells=False)
    connection = join(pair, origin=origin, sharing=sharing, by=pair.patient, at=now)
    _tell_both(connection, Kind.CONNECTION_MADE)
    return connection


def join(
    pair: Pair, *, origin: Connection.Origin, sharing: Sharing, by: User, at: dt.datetime
) -> Connection:
    """Make the connection of a pair that is locked and may be connected, at the moment at which
    the request was answered, if there is one. Who made it tells whom it concerns."""
    connection = pair.connection or Connection(patient=pair.patient, doctor=pair.doctor)
    connection.status, connection.origin = Connection.Status.ACTIVE, origin
    connection.connected_at, connection.ended_at, connection.ended_by = at, None, None
    connection.save()
    _log(connection, AccessEvent.Action.CONNECTED, by=by)
    open_grant(connection, sharing, by=pair.patient)
    return connection


@transaction.atomic
def end_connection(*, actor: Any, connection_id: UUID) -> Connection:
    """End it, by either side: nothing new is written or read from here on; what each wrote
    stays readable to them, and everything to the patient."""
    _pair, connection = lock_connection(actor=actor, connection_id=connection_id)
    check_can_end(actor, connection)
    _part(connection, Connection.Status.INACTIVE, by=actor)
    connection.save()
    return connection


def end_connections(*, user: User, by: User) -> None:
    """End all that join a person who takes another role to others, one by one, where one
    that fails is logged and holds up no other. After the commit of the new role: whoever connects
    from then on is refused."""
    mine = Q(patient=user) | Q(doctor=user)
    standing = Connection.objects.active().filter(mine).order_by("patient_id")
    each(standing, lambda connection: _end_one(connection, by=by))


@transaction.atomic
def _end_one(seen: Connection, *, by: User) -> None:
    connection = lock_pair_of(seen).connection
    if connection is not None and connection.is_active:
        _part(connection, Connection.Status.INACTIVE, by=by)
        connection.save()


@transaction.atomic
def block(*, actor: Any, person_id: UUID) -> Connection:
    """Have no more to do with a person: the connection ends, a request that waits is closed, and
    neither asks or connects until whoever blocked unblocks. The other side is not told of the
    block, only of an end. Blocking again changes nothing. Who is not known is not found."""
    check_can_block(actor)
    pair = _pair_with(actor, person_id)
    if not _is_known(pair, actor):
        raise Http404
    _close_waiting(pair, by=actor)
    connection = pair.connection or Connection(
        patient=pair.patient, doctor=pair.doctor, status=Connection.Status.INACTIVE
    )
    if connection.blocked_at(actor):
        return connection
    if connection.is_active:
        _part(connection, Connection.Status.BLOCKED, by=actor)
    connection.status = Connection.Status.BLOCKED
    _set_block(connection, actor, timezone.now())
    connection.save()
    _log(connection, AccessEvent.Action.BLOCKED, by=actor)
    return connection


@transaction.atomic
def unblock(*, actor: Any, connection_id: UUID) -> Connection:
    """Take the own block back. The two stay apart until they connect again."""
    _pair, connection = lock_connection(actor=actor, connection_id=connection_id)
    check_can_unblock(actor, connection)
    _set_block(connection, actor, None)
    if not (connection.blocked_by_patient_at or connection.blocked_by_doctor_at):
        connection.status = Connection.Status.INACTIVE
    connection.save()
    _log(connection, AccessEvent.Action.UNBLOCKED, by=actor)
    return connection


@transaction.atomic
def set_availability(
    *,
    actor: Any,
    connection_id: UUID,
    days: Sequence[str],
    hours: tuple[dt.time, dt.time] | None,
) -> Connection:
    """Say on which days, and between which hours by the doctor's clock, the patient reaches
    the doctor. Nothing said is nothing promised."""
    _pair, connection = lock_connection(actor=actor, connection_id=connection_id)
    check_can_set_availability(actor, connection)
    keep_availability(connection, days=days, hours=hours)
    connection.save(update_fields=["available_days", "available_from", "available_until"])
    return connection


def keep_availability(
    connection: Connection, *, days: Sequence[str], hours: tuple[dt.time, dt.time] | None
) -> None:
    """Check it, and put it on a connection that the caller saves."""
    if set(days) - set(Weekday.values):
        raise InvalidInput(_("There is no such day."), attr="available_days")
    if hours is not None and hours[0] >= hours[1]:
        raise InvalidInput(_("The hours end before they begin."), attr="available_hours")
    connection.available_days = [day for day in Weekday.values if day in days]
    connection.available_from, connection.available_until = hours or (None, None)


def _pair_with(actor: Any, person_id: UUID) -> Pair:
    if actor.role == Role.DOCTOR:
        return lock_pair(patient_id=person_id, doctor_id=actor.pk)
    return lock_pair(patient_id=actor.pk, doctor_id=person_id)


def _is_known(pair: Pair, actor: Any) -> bool:
    """Whether the actor has had to do with the other side, or is a patient who finds the doctor
    in the directory."""
    of_pair = {"patient": pair.patient, "doctor": pair.doctor}
    return (
        Connection.objects.visible_to(actor).filter(**of_pair).exists()
        or ConnectionRequest.objects.filter(**of_pair).exists()
        or (actor.is_patient and DoctorProfile.objects.listed([pair.doctor.pk]).exists())
    )


def _close_waiting(pair: Pair, *, by: Any) -> None:
    close_overdue(pair, timezone.now())
    if pair.waiting is None:
        return
    is_doctor = by.pk == pair.doctor.pk
    statuses = ConnectionRequest.Status
    close_request(pair.waiting, statuses.REJECTED if is_doctor else statuses.CANCELLED, by=by)


def _part(connection: Connection, status: Connection.Status, *, by: Any) -> None:
    end_grant(connection, by=by)
    connection.status = status
    connection.ended_at, connection.ended_by_id = timezone.now(), by.pk
    _log(connection, AccessEvent.Action.CONNECTION_ENDED, by=by)
    _tell_both(connection, Kind.CONNECTION_ENDED)
    for person_id in (connection.patient_id, connection.doctor_id):
        ended = {"type": "connection.ended", "connection_id": str(connection.pk)}
        announce(user_group(person_id), ended)


def _set_block(connection: Connection, by: Any, at: dt.datetime | None) -> None:
    side = "patient" if by.pk == connection.patient_id else "doctor"
    setattr(connection, f"blocked_by_{side}_at", at)


def _log(connection: Connection, action: AccessEvent.Action, *, by: Any) -> None:
    record_access(
        actor_id=by.pk,
        patient_id=connection.patient_id,
        action=action,
        target=connection,
        basis=basis_of(connection, by),
    )


def _tell_both(connection: Connection, kind: Kind) -> None:
    for person in (connection.patient, connection.doctor):
        notify(
            recipient=person,
            kind=kind,
            about=connection.other_side(person),
            url=f"/connections/{connection.pk}",
        )
