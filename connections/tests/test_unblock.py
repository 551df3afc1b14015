"""Taking a block back."""

from __future__ import annotations

import pytest
from django.http import Http404

from accounts.models import User
from audit.models import AccessEvent
from connections.models import Connection
from connections.policies import NotBlocked
from connections.services.connections import block, connect, unblock
from connections.services.requests import send_request
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def blocked(patient: User, doctor: User) -> Connection:
    return ConnectionFactory(patient=patient, doctor=doctor, blocked_by_patient=True)


def test_they_stay_apart_until_they_connect_again(blocked: Connection) -> None:
    unblock(actor=blocked.patient, connection_id=blocked.pk)

    blocked.refresh_from_db()
    assert (blocked.status, blocked.blocked_by_patient_at) == ("INACTIVE", None)
    again = connect(actor=blocked.patient, doctor_id=blocked.doctor_id, origin=Connection.Origin.QR)
    assert (again.pk, again.is_active) == (blocked.pk, True)


def test_nobody_is_told(blocked: Connection) -> None:
    unblock(actor=blocked.patient, connection_id=blocked.pk)

    assert not Notification.objects.exists()


def test_it_is_logged(blocked: Connection) -> None:
    unblock(actor=blocked.patient, connection_id=blocked.pk)

    event = AccessEvent.objects.get()
    assert (event.action, event.actor_id, event.basis) == (
        "UNBLOCKED",
        blocked.patient_id,
        "SELF",
    )


def test_block_of_the_other_side_stands(blocked: Connection) -> None:
    block(actor=blocked.doctor, person_id=blocked.patient_id)

    left = unblock(actor=blocked.patient, connection_id=blocked.pk)

    left.refresh_from_db()
    assert (left.status, left.status_for(left.patient), left.status_for(left.doctor)) == (
        "BLOCKED",
        "INACTIVE",
        "BLOCKED",
    )


@pytest.mark.parametrize("standing", [{}, {"ended": True}, {"blocked_by_doctor": True}])
def test_who_does_not_block_has_nothing_to_take_back(
    patient: User, doctor: User, standing: dict[str, bool]
) -> None:
    connection = ConnectionFactory(patient=patient, doctor=doctor, **standing)

    with pytest.raises(NotBlocked):
        unblock(actor=patient, connection_id=connection.pk)


def test_app_unblocks(blocked: Connection) -> None:
    answer = api_client(blocked.patient).post(f"/api/v1/requests/connections/{blocked.pk}/unblock")

    assert (answer.status_code, answer.json()["status"]) == (200, "INACTIVE")


def test_page_unblocks_and_offers_to_ask_again(blocked: Connection) -> None:
    answer = page_client(blocked.patient).post(f"/connections/{blocked.pk}/unblock", follow=True)

    page = answer.content.decode()
    assert answer.redirect_chain == [(f"/connections/{blocked.pk}", 302)]
    assert f"/doctors/{blocked.doctor_id}/request" in page


@pytest.mark.parametrize("door", ["app", "page"])
def test_of_a_pair_that_never_was_connected_nothing_remains_to_be_seen(
    patient: User, doctor: User, door: str
) -> None:
    pair = ConnectionFactory(
        patient=patient, doctor=doctor, blocked_by_patient=True, never_made=True
    )

    if door == "app":
        answer = api_client(patient).post(f"/api/v1/requests/connections/{pair.pk}/unblock")
        assert answer.status_code == 200
    else:
        answer = page_client(patient).post(f"/connections/{pair.pk}/unblock", follow=True)
        assert answer.redirect_chain == [("/connections", 302)]

    assert not Connection.objects.visible_to(patient).exists()
    assert send_request(actor=patient, doctor_id=doctor.pk).is_pending


def test_outsiders_do_not_find_it(
    blocked: Connection, stranger: User, other_doctor: User, admin: User
) -> None:
    for actor in (stranger, other_doctor, admin):
        with pytest.raises(Http404):
            unblock(actor=actor, connection_id=blocked.pk)


@pytest.mark.django_db(transaction=True)
def test_unblocked_twice_at_once_it_is_unblocked_once(blocked: Connection) -> None:
    racers = race(
        lambda: unblock(actor=blocked.patient, connection_id=blocked.pk),
        lambda: unblock(actor=blocked.patient, connection_id=blocked.pk),
        gate=AccessEvent,
    )

    assert errors(racers) == ["", "NotBlocked"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_it_would_be_logged_twice(blocked: Connection) -> None:
    race(
        lambda: unblock(actor=blocked.patient, connection_id=blocked.pk),
        lambda: unblock(actor=blocked.patient, connection_id=blocked.pk),
        gate=Connection,
    )

    assert AccessEvent.objects.filter(action="UNBLOCKED").count() == 2
