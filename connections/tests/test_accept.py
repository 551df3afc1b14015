"""A doctor accepts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.http import Http404
from django.utils import timezone

from accounts.models import Status, User
from accounts.policies import AccountNotActive
from audit.models import AccessEvent
from common import runs
from common.errors import InvalidInput, NotAllowed
from connections.models import AccessGrant, Connection, ConnectionRequest
from connections.policies import PatientNotAvailable, RequestClosed
from connections.services.answers import accept_request, reject_request
from connections.services.requests import cancel_request, expire_requests
from connections.tests.factories import ConnectionFactory, RequestFactory
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(patient: User, doctor: User) -> ConnectionRequest:
    return RequestFactory(patient=patient, doctor=doctor)


def accept(request: ConnectionRequest, **said: Any) -> Connection:
    return accept_request(actor=request.doctor, request_id=request.pk, **said)


def url(request: ConnectionRequest) -> str:
    return f"/api/v1/requests/{request.pk}/accept"


def test_they_are_connected_by_request(waiting: ConnectionRequest) -> None:
    made = accept(waiting)

    waiting.refresh_from_db()
    assert (made.patient, made.doctor) == (waiting.patient, waiting.doctor)
    assert (made.status, made.origin) == ("ACTIVE", "REQUEST")
    assert (waiting.status, waiting.decided_by) == ("ACCEPTED", waiting.doctor)
    assert waiting.decided_at


def test_patient_alone_is_told_once(waiting: ConnectionRequest) -> None:
    accept(waiting)

    told = Notification.objects.get()
    assert (told.recipient, told.kind) == (waiting.patient, "REQUEST_ACCEPTED")


def test_it_is_logged_as_the_doctors_act(waiting: ConnectionRequest) -> None:
    accept(waiting)

    logged = {(event.action, event.actor_id, event.basis) for event in AccessEvent.objects.all()}
    doctor = waiting.doctor_id
    assert logged == {("REQUEST_ACCEPTED", doctor, "CARE"), ("CONNECTED", doctor, "CARE")}


def test_doctor_sees_what_the_patient_chose_when_asking(patient: User, doctor: User) -> None:
    ends = timezone.now() + dt.timedelta(days=90)
    waiting = RequestFactory(
        patient=patient,
        doctor=doctor,
        categories=["ALLERGIES"],
        data_from=dt.date(2025, 1, 1),
        ends_at=ends,
        purpose="FOLLOW_UP",
    )

    made = accept(waiting)

    grant = AccessGrant.objects.get()
    assert (grant.connection, grant.categories, grant.data_from) == (
        made,
        ["ALLERGIES"],
        dt.date(2025, 1, 1),
    )
    assert (grant.ends_at, grant.purpose) == (ends, "FOLLOW_UP")


@pytest.mark.parametrize(
    "chosen",
    [{}, {"categories": ["ALLERGIES"], "ends_at": timezone.now() - dt.timedelta(hours=1)}],
    ids=["nothing", "what is over by now"],
)
def test_where_nothing_is_shared_there_is_no_grant(
    patient: User, doctor: User, chosen: dict[str, Any]
) -> None:
    accept(RequestFactory(patient=patient, doctor=doctor, **chosen))

    assert not AccessGrant.objects.exists()


def test_doctor_says_when_they_are_reached(waiting: ConnectionRequest) -> None:
    made = accept(waiting, days=["mon", "sat"], hours=(dt.time(9), dt.time(17)))

    made.refresh_from_db()
    assert made.available_days == ["sat", "mon"]
    assert (made.available_from, made.available_until) == (dt.time(9), dt.time(17))


@pytest.mark.parametrize(
    ("said", "attr"),
    [
        ({"days": ["someday"]}, "available_days"),
        ({"hours": (dt.time(17), dt.time(9))}, "available_hours"),
        ({"hours": (dt.time(9), dt.time(9))}, "available_hours"),
    ],
    ids=["an unknown day", "backwards", "no time at all"],
)
def test_hours_that_cannot_be_undo_everything(
    waiting: ConnectionRequest, said: dict[str, Any], attr: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        accept(waiting, **said)

    waiting.refresh_from_db()
    assert refused.value.attr == attr
    assert waiting.is_pending
    assert not Connection.objects.exists()


def test_app_accepts_and_gets_the_connection(waiting: ConnectionRequest) -> None:
    body = {"available_days": ["sun"], "available_hours": {"from": "09:00", "until": "17:30"}}

    answer = api_client(waiting.doctor).post(url(waiting), body)

    told = answer.json()
    assert (answer.status_code, told["status"], told["origin"]) == (200, "ACTIVE", "REQUEST")
    assert {name: told[name] for name in body} == body


def test_app_accepts_without_saying_when(waiting: ConnectionRequest) -> None:
    told = api_client(waiting.doctor).post(url(waiting), {}).json()

    assert (told["available_days"], told["available_hours"]) == ([], None)


def test_page_accepts_and_leads_to_the_connection(waiting: ConnectionRequest) -> None:
    body = {"available_days": ["sun"], "available_from": "09:00", "available_until": "17:00"}

    answer = page_client(waiting.doctor).post(f"/requests/{waiting.pk}/accept", body, follow=True)

    made = Connection.objects.get()
    assert answer.redirect_chain == [(f"/connections/{made.pk}", 302)]
    assert "You are connected with Mona Adel." in answer.content.decode()


def test_page_asks_for_the_other_hour(waiting: ConnectionRequest) -> None:
    answer = page_client(waiting.doctor).post(
        f"/requests/{waiting.pk}/accept", {"available_from": "09:00"}
    )

    assert answer.status_code == 400
    assert "Say both hours, or none." in answer.content.decode()
    assert not Connection.objects.exists()


def test_connection_that_ended_is_taken_up_again(waiting: ConnectionRequest) -> None:
    old = ConnectionFactory(patient=waiting.patient, doctor=waiting.doctor, ended=True)

    assert accept(waiting).pk == old.pk


@pytest.mark.parametrize("answer", ["cancelled", "rejected", "expired", "overdue"])
def test_what_is_over_is_not_accepted(patient: User, doctor: User, answer: str) -> None:
    closed = RequestFactory(patient=patient, doctor=doctor, **{answer: True})

    with pytest.raises(RequestClosed):
        accept(closed)

    assert not Connection.objects.exists()


def test_last_moment_is_the_thirtieth_day(waiting: ConnectionRequest) -> None:
    with time_machine.travel(waiting.expires_at, tick=False), pytest.raises(RequestClosed):
        accept(waiting)
    with time_machine.travel(waiting.expires_at - dt.timedelta(seconds=1), tick=False):
        assert accept(waiting).is_active


def test_nobody_else_accepts(
    waiting: ConnectionRequest, stranger: User, other_doctor: User, admin: User
) -> None:
    for outsider in (stranger, other_doctor, admin):
        with pytest.raises(Http404):
            accept_request(actor=outsider, request_id=waiting.pk)
    with pytest.raises(NotAllowed):
        accept_request(actor=waiting.patient, request_id=waiting.pk)

    assert not Connection.objects.exists()


def test_suspended_doctor_accepts_nobody(waiting: ConnectionRequest) -> None:
    waiting.doctor.status = Status.SUSPENDED
    waiting.doctor.save()

    with pytest.raises(AccountNotActive):
        accept(waiting)

    waiting.refresh_from_db()
    assert waiting.is_pending


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.INACTIVE])
def test_patient_whose_account_is_closed_is_not_accepted(
    waiting: ConnectionRequest, status: Status
) -> None:
    User.objects.filter(pk=waiting.patient_id).update(status=status)

    with pytest.raises(PatientNotAvailable):
        accept(waiting)


# --- Two at once ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_accepted_twice_at_once_there_is_one_connection(waiting: ConnectionRequest) -> None:
    racers = race(lambda: accept(waiting), lambda: accept(waiting), gate=AccessEvent)

    assert errors(racers) == ["", "RequestClosed"]
    assert Connection.objects.count() == Notification.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_second_acceptance_would_crash(waiting: ConnectionRequest) -> None:
    racers = race(lambda: accept(waiting), lambda: accept(waiting), gate=ConnectionRequest)

    assert sorted(errors(racers)) != ["", "RequestClosed"]


def rivals(waiting: ConnectionRequest) -> dict[str, Any]:
    """What may happen to a request while it is accepted, and how it stands then."""
    return {
        "CANCELLED": lambda: cancel_request(actor=waiting.patient, request_id=waiting.pk),
        "REJECTED": lambda: reject_request(
            actor=waiting.doctor, request_id=waiting.pk, reason="My list is full."
        ),
        "EXPIRED": lambda: expire_requests(waiting.expires_at),
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rival", ["CANCELLED", "REJECTED", "EXPIRED"])
@pytest.mark.parametrize("is_first", [True, False], ids=["accepted first", "accepted second"])
def test_of_two_answers_at_once_the_first_counts(
    waiting: ConnectionRequest, rival: str, is_first: bool
) -> None:
    acts = [lambda: accept(waiting), rivals(waiting)[rival]]

    racers = race(*(acts if is_first else reversed(acts)), gate=AccessEvent)

    waiting.refresh_from_db()
    assert waiting.status == ("ACCEPTED" if is_first else rival)
    assert Connection.objects.active().exists() == is_first
    # A job is not told that it came too late.
    loses_quietly = is_first and rival == "EXPIRED"
    assert errors(racers) == ["", "" if loses_quietly else "RequestClosed"]
    ends = {event.action for event in AccessEvent.objects.all()} - {"CONNECTED"}
    assert ends == {f"REQUEST_{waiting.status}"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
@pytest.mark.parametrize("rival", ["CANCELLED", "REJECTED", "EXPIRED"])
def test_without_the_lock_both_answers_would_be_given_or_one_would_crash(
    waiting: ConnectionRequest, rival: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The job logs a crash and goes on; here it is to be seen, whichever of the two is second.
    monkeypatch.setattr(runs, "_is_done", lambda thing, act: bool(act(thing)))

    racers = race(lambda: accept(waiting), rivals(waiting)[rival], gate=ConnectionRequest)

    assert errors(racers) not in (["", "RequestClosed"], ["RequestClosed", ""], ["", ""])
