"""Having no more to do with somebody."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.http import Http404

from accounts.models import Status, User
from accounts.policies import AccountNotActive
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from audit.models import AccessEvent
from common.errors import NotAllowed
from common.ids import uuid7
from connections.models import AccessGrant, Connection, ConnectionRequest
from connections.services.answers import accept_request
from connections.services.connections import block, end_connection
from connections.tests.factories import GrantFactory, RequestFactory
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification

pytestmark = pytest.mark.django_db
URL = "/api/v1/requests/block"
Make = Callable[[], Any]
SIDES = {"patient": "doctor", "doctor": "patient"}


class Nobody:
    """An id that is nobody's."""

    def __init__(self) -> None:
        self.pk = uuid7()


def actions() -> list[str]:
    return list(AccessEvent.objects.order_by("seq").values_list("action", flat=True))


@pytest.mark.parametrize("side", SIDES)
def test_either_side_blocks_the_other(connection: Connection, side: str) -> None:
    actor, other = getattr(connection, side), getattr(connection, SIDES[side])

    block(actor=actor, person_id=other.pk)

    connection.refresh_from_db()
    assert (connection.status, connection.ended_by) == ("BLOCKED", actor)
    assert connection.blocked_at(actor)
    assert connection.blocked_at(other) is None


@pytest.mark.parametrize("side", SIDES)
def test_other_side_is_told_of_an_end_and_not_of_the_block(
    connection: Connection, side: str
) -> None:
    actor, other = getattr(connection, side), getattr(connection, SIDES[side])
    block(actor=actor, person_id=other.pk)

    mine = api_client(actor).get(f"/api/v1/requests/connections/{connection.pk}").json()
    theirs = api_client(other).get(f"/api/v1/requests/connections/{connection.pk}").json()
    page = page_client(other).get(f"/connections/{connection.pk}").content.decode()
    listed = page_client(other).get("/connections").content.decode()

    told = Notification.objects.get(recipient=other)
    assert (mine["status"], mine["blocked_by_me"]) == ("BLOCKED", True)
    assert (theirs["status"], theirs["blocked_by_me"]) == ("INACTIVE", False)
    assert told.kind == "CONNECTION_ENDED"
    assert "Blocked" not in page + listed
    assert "Ended" in page


def test_lists_of_one_status_tell_no_more(connection: Connection) -> None:
    block(actor=connection.doctor, person_id=connection.patient_id)

    def listed(user: User, status: str) -> int:
        url = f"/api/v1/requests/connections?status={status}"
        return len(api_client(user).get(url).json()["results"])

    statuses = ("ACTIVE", "INACTIVE", "BLOCKED")
    assert [listed(connection.doctor, status) for status in statuses] == [0, 0, 1]
    assert [listed(connection.patient, status) for status in statuses] == [0, 1, 0]


def test_it_ends_what_the_doctor_was_let_see(connection: Connection) -> None:
    GrantFactory(connection=connection)

    block(actor=connection.patient, person_id=connection.doctor_id)

    assert AccessGrant.objects.get().end_reason == "CONNECTION_ENDED"


@pytest.mark.parametrize("side", SIDES)
def test_it_closes_a_request_that_waits(patient: User, doctor: User, side: str) -> None:
    waiting = RequestFactory(patient=patient, doctor=doctor)
    actor, other = (patient, doctor) if side == "patient" else (doctor, patient)

    block(actor=actor, person_id=other.pk)

    waiting.refresh_from_db()
    expected = "CANCELLED" if side == "patient" else "REJECTED"
    assert (waiting.status, waiting.decided_by) == (expected, actor)
    assert Notification.objects.get().recipient == other
    assert actions() == [f"REQUEST_{expected}", "BLOCKED"]


def test_reason_of_a_request_that_a_block_closes_says_nothing_of_it(
    patient: User, doctor: User
) -> None:
    waiting = RequestFactory(patient=patient, doctor=doctor)

    block(actor=doctor, person_id=patient.pk)

    waiting.refresh_from_db()
    assert waiting.reason == "The doctor cannot take this request."


def test_request_whose_time_is_over_is_not_answered_by_it(patient: User, doctor: User) -> None:
    overdue = RequestFactory(patient=patient, doctor=doctor, overdue=True)

    block(actor=doctor, person_id=patient.pk)

    overdue.refresh_from_db()
    assert overdue.status == "EXPIRED"


def test_blocking_before_ever_being_connected_is_known_to_the_blocker_alone(
    patient: User, doctor: User
) -> None:
    answer = api_client(patient).post(URL, {"person_id": str(doctor.pk)})

    told = answer.json()
    assert (answer.status_code, told["status"], told["connected_at"], told["origin"]) == (
        200,
        "BLOCKED",
        None,
        "",
    )
    assert Connection.objects.visible_to(patient).exists()
    assert not Connection.objects.visible_to(doctor).exists()
    assert not Notification.objects.exists()
    page = page_client(patient).get(f"/connections/{told['id']}")
    assert page.status_code == 200
    assert "Blocked" in page.content.decode()


def test_each_blocks_for_themselves(connection: Connection) -> None:
    block(actor=connection.patient, person_id=connection.doctor_id)
    block(actor=connection.doctor, person_id=connection.patient_id)

    connection.refresh_from_db()
    assert connection.blocked_by_patient_at
    assert connection.blocked_by_doctor_at
    assert actions() == ["CONNECTION_ENDED", "BLOCKED", "BLOCKED"]


def test_blocking_again_changes_nothing(connection: Connection) -> None:
    first = block(actor=connection.patient, person_id=connection.doctor_id)
    again = block(actor=connection.patient, person_id=connection.doctor_id)

    assert again.blocked_by_patient_at == first.blocked_by_patient_at
    assert actions() == ["CONNECTION_ENDED", "BLOCKED"]


def test_page_blocks(connection: Connection) -> None:
    answer = page_client(connection.patient).post(
        f"/people/{connection.doctor_id}/block", follow=True
    )

    assert answer.redirect_chain == [(f"/connections/{connection.pk}", 302)]
    assert "This person is blocked." in answer.content.decode()
    assert f"/connections/{connection.pk}/unblock" in answer.content.decode()


@pytest.mark.parametrize(
    ("actor", "other"),
    [
        (PatientFactory, PatientFactory),
        (PatientFactory, AdminFactory),
        (PatientFactory, partial(DoctorFactory, status=Status.PENDING_APPROVAL)),
        (PatientFactory, partial(DoctorFactory, status=Status.SUSPENDED)),
        (PatientFactory, partial(DoctorFactory, status=Status.ANONYMISED)),
        (DoctorFactory, PatientFactory),
        (DoctorFactory, DoctorFactory),
        (DoctorFactory, AdminFactory),
        (PatientFactory, Nobody),
        (DoctorFactory, Nobody),
    ],
    ids=[
        "patient a patient",
        "patient an administrator",
        "patient an applicant",
        "patient a suspended doctor",
        "patient an anonymised doctor",
        "doctor a patient",
        "doctor a doctor",
        "doctor an administrator",
        "patient nobody",
        "doctor nobody",
    ],
)
def test_who_is_not_known_is_not_found_whoever_it_is(actor: Make, other: Make) -> None:
    with pytest.raises(Http404):
        block(actor=actor(), person_id=other().pk)

    assert not Connection.objects.exists()


def test_nobody_blocks_themselves(doctor: User) -> None:
    with pytest.raises(Http404):
        block(actor=doctor, person_id=doctor.pk)


@pytest.mark.parametrize("other", [PatientFactory, DoctorFactory])
def test_administrators_block_nobody(admin: User, other: Make) -> None:
    with pytest.raises(NotAllowed):
        block(actor=admin, person_id=other().pk)


@pytest.mark.parametrize("answer", ["", "cancelled", "rejected", "expired"])
def test_who_asked_once_is_known(patient: User, doctor: User, answer: str) -> None:
    RequestFactory(patient=patient, doctor=doctor, **({answer: True} if answer else {}))

    assert block(actor=doctor, person_id=patient.pk).blocked_by_doctor_at


def test_doctor_who_was_asked_is_known_after_being_suspended(patient: User, doctor: User) -> None:
    RequestFactory(patient=patient, doctor=doctor, rejected=True)
    User.objects.filter(pk=doctor.pk).update(status=Status.SUSPENDED)

    assert block(actor=patient, person_id=doctor.pk).blocked_by_patient_at


def test_block_of_the_other_side_makes_nobody_known(patient: User, doctor: User) -> None:
    block(actor=patient, person_id=doctor.pk)

    with pytest.raises(Http404):
        block(actor=doctor, person_id=patient.pk)


def test_suspended_person_blocks_nobody(connection: Connection) -> None:
    connection.patient.status = Status.SUSPENDED

    with pytest.raises(AccountNotActive):
        block(actor=connection.patient, person_id=connection.doctor_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "BLOCKED"},
        {"blocked_by_doctor_at": "2026-01-01T00:00:00Z"},
        {"connected_at": None, "origin": ""},
    ],
    ids=["by nobody", "and active", "active and never made"],
)
def test_database_refuses_a_block_that_cannot_be(
    connection: Connection, changes: dict[str, Any]
) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(**changes)


def test_database_refuses_an_end_that_leaves_a_grant(connection: Connection) -> None:
    GrantFactory(connection=connection)

    with pytest.raises(DatabaseError), transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(
            status="INACTIVE", ended_at=connection.connected_at
        )


# --- Two at once ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["patient", "doctor"])
def test_blocked_from_both_sides_at_once_it_ends_once(connection: Connection, first: str) -> None:
    acts = {
        "patient": lambda: block(actor=connection.patient, person_id=connection.doctor_id),
        "doctor": lambda: block(actor=connection.doctor, person_id=connection.patient_id),
    }

    racers = race(acts[first], acts[SIDES[first]], gate=AccessEvent)

    connection.refresh_from_db()
    assert errors(racers) == ["", ""]
    assert connection.blocked_by_patient_at
    assert connection.blocked_by_doctor_at
    assert actions() == ["CONNECTION_ENDED", "BLOCKED", "BLOCKED"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_one_block_would_be_lost(connection: Connection) -> None:
    race(
        lambda: block(actor=connection.patient, person_id=connection.doctor_id),
        lambda: block(actor=connection.doctor, person_id=connection.patient_id),
        gate=Connection,
    )

    connection.refresh_from_db()
    assert not (connection.blocked_by_patient_at and connection.blocked_by_doctor_at)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["accept", "block"])
def test_accepted_while_the_patient_blocks_it_ends_blocked(
    patient: User, doctor: User, first: str
) -> None:
    waiting = RequestFactory(patient=patient, doctor=doctor, categories=["ALLERGIES"])
    acts = {
        "accept": lambda: accept_request(actor=doctor, request_id=waiting.pk),
        "block": lambda: block(actor=patient, person_id=doctor.pk),
    }
    order = [first, *(acts.keys() - {first})]

    racers = race(*(acts[name] for name in order), gate=AccessEvent)

    assert Connection.objects.get().status == "BLOCKED"
    assert not AccessGrant.objects.standing().exists()
    assert not ConnectionRequest.objects.pending().exists()
    assert errors(racers) == (["", ""] if first == "accept" else ["", "RequestClosed"])


@pytest.mark.django_db(transaction=True)
def test_ended_while_blocked_it_is_blocked(connection: Connection) -> None:
    racers = race(
        lambda: end_connection(actor=connection.doctor, connection_id=connection.pk),
        lambda: block(actor=connection.patient, person_id=connection.doctor_id),
        gate=AccessEvent,
    )

    connection.refresh_from_db()
    assert errors(racers) == ["", ""]
    assert (connection.status, connection.ended_by) == ("BLOCKED", connection.doctor)
