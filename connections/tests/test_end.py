"""Parting."""

from __future__ import annotations

import pytest
from django.http import Http404

from accounts.models import Status, User
from accounts.policies import AccountNotActive
from audit.models import AccessEvent
from connections.models import Connection
from connections.policies import ConnectionEnded
from connections.services.connections import end_connection
from medisync.tests.client import api_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification

pytestmark = pytest.mark.django_db


def url(connection: Connection) -> str:
    return f"/api/v1/requests/connections/{connection.pk}/deactivate"


@pytest.mark.parametrize("side", ["patient", "doctor"])
def test_either_side_may_end_it(connection: Connection, side: str) -> None:
    actor = getattr(connection, side)

    answer = api_client(actor).put(url(connection))

    connection.refresh_from_db()
    assert (answer.status_code, answer.json()["status"]) == (200, "INACTIVE")
    assert (connection.status, connection.ended_by) == ("INACTIVE", actor)
    assert connection.ended_at


def test_both_are_told(connection: Connection) -> None:
    end_connection(actor=connection.doctor, connection_id=connection.pk)

    assert {row.recipient_id for row in Notification.objects.all()} == {
        connection.patient_id,
        connection.doctor_id,
    }


def test_it_is_logged_with_who_did_it(connection: Connection) -> None:
    end_connection(actor=connection.doctor, connection_id=connection.pk)

    event = AccessEvent.objects.get()
    assert (event.action, event.actor_id, event.patient_id) == (
        "CONNECTION_ENDED",
        connection.doctor_id,
        connection.patient_id,
    )


def test_it_ends_once(connection: Connection) -> None:
    end_connection(actor=connection.doctor, connection_id=connection.pk)

    with pytest.raises(ConnectionEnded):
        end_connection(actor=connection.patient, connection_id=connection.pk)


def test_outsiders_do_not_find_it(
    connection: Connection, stranger: User, other_doctor: User, admin: User
) -> None:
    for actor in (stranger, other_doctor, admin):
        with pytest.raises(Http404):
            end_connection(actor=actor, connection_id=connection.pk)

    connection.refresh_from_db()
    assert connection.is_active


def test_suspended_side_cannot_end_it(connection: Connection) -> None:
    connection.doctor.status = Status.SUSPENDED

    with pytest.raises(AccountNotActive):
        end_connection(actor=connection.doctor, connection_id=connection.pk)


@pytest.mark.django_db(transaction=True)
def test_ended_from_both_sides_at_once_it_ends_once(connection: Connection) -> None:
    racers = race(
        lambda: end_connection(actor=connection.patient, connection_id=connection.pk),
        lambda: end_connection(actor=connection.doctor, connection_id=connection.pk),
        gate=Connection,
    )

    assert errors(racers) == ["", "ConnectionEnded"]
    assert AccessEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_it_would_end_twice(connection: Connection) -> None:
    """What the lock is for."""
    race(
        lambda: end_connection(actor=connection.patient, connection_id=connection.pk),
        lambda: end_connection(actor=connection.doctor, connection_id=connection.pk),
        gate=Connection,
    )

    assert AccessEvent.objects.count() == 2
