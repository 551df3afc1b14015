"""Nobody answers."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Status, User
from audit.models import AccessEvent
from connections.jobs import expire_requests as job
from connections.models import ConnectionRequest
from connections.services.requests import expire_requests
from connections.tests.factories import RequestFactory
from medisync.tests.broken import refuse
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, race
from notifications.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def overdue(patient: User, doctor: User) -> ConnectionRequest:
    return RequestFactory(patient=patient, doctor=doctor, overdue=True, notes="A cough.")


def test_job_closes_what_is_overdue_and_nothing_else(overdue: ConnectionRequest) -> None:
    waiting = RequestFactory()
    answered = RequestFactory(rejected=True, overdue=True)

    job()

    for request, status in ((overdue, "EXPIRED"), (waiting, "PENDING"), (answered, "REJECTED")):
        request.refresh_from_db()
        assert request.status == status
    assert overdue.decided_at
    assert overdue.decided_by is None


def test_patient_is_told_once(overdue: ConnectionRequest) -> None:
    assert [expire_requests(timezone.now()) for _ in range(2)] == [1, 0]

    told = Notification.objects.get()
    assert (told.recipient, told.kind) == (overdue.patient, "REQUEST_EXPIRED")


def test_it_is_logged_as_nobodys_act(overdue: ConnectionRequest) -> None:
    job()

    event = AccessEvent.objects.get()
    assert (event.action, event.actor_id, event.basis) == ("REQUEST_EXPIRED", None, "CARE")


def test_thirty_days_after_asking_it_is_over() -> None:
    request = RequestFactory()

    assert expire_requests(request.expires_at - dt.timedelta(seconds=1)) == 0
    assert expire_requests(request.expires_at) == 1


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.INACTIVE, Status.ANONYMISED])
def test_those_of_closed_accounts_expire_as_well(
    overdue: ConnectionRequest, status: Status
) -> None:
    User.objects.filter(pk__in=[overdue.patient_id, overdue.doctor_id]).update(status=status)

    assert expire_requests(timezone.now()) == 1


def test_overdue_one_is_shown_as_expired_before_the_job_comes(
    overdue: ConnectionRequest, patient: User, doctor: User
) -> None:
    for who in (patient, doctor):
        app, browser = api_client(who), page_client(who)
        told = app.get(f"/api/v1/requests/{overdue.pk}").json()
        page = browser.get(f"/requests/{overdue.pk}").content.decode()
        assert told["status"] == "EXPIRED"
        assert app.get("/api/v1/requests/pending").json()["results"] == []
        assert len(app.get("/api/v1/requests/all?status=EXPIRED").json()["results"]) == 1
        assert app.get("/api/v1/requests/all?status=PENDING").json()["results"] == []
        assert f"/requests/{overdue.pk}/accept" not in page
        assert f"/requests/{overdue.pk}/cancel" not in page


def test_doctor_no_longer_reads_it(overdue: ConnectionRequest, doctor: User) -> None:
    told = api_client(doctor).get(f"/api/v1/requests/{overdue.pk}").json()

    assert (told["notes"], told["share"]) == ("", None)


def test_it_expires_while_the_page_is_open() -> None:
    request = RequestFactory()

    with time_machine.travel(request.expires_at):
        answer = page_client(request.doctor).post(f"/requests/{request.pk}/accept", {})

    assert answer.status_code == 409
    assert "has expired" in answer.content.decode()


def test_one_that_fails_holds_up_no_other() -> None:
    broken, other = RequestFactory(overdue=True), RequestFactory(overdue=True)
    refuse(broken)

    assert expire_requests(timezone.now()) == 1

    broken.refresh_from_db()
    other.refresh_from_db()
    assert (broken.status, other.status) == ("PENDING", "EXPIRED")


@pytest.mark.django_db(transaction=True)
def test_two_jobs_at_once_tell_the_patient_once() -> None:
    RequestFactory(overdue=True)
    now = timezone.now()

    racers = race(
        lambda: expire_requests(now), lambda: expire_requests(now), gate=ConnectionRequest
    )

    assert errors(racers) == ["", ""]
    assert sum(racer.value for racer in racers) == 1
    assert Notification.objects.count() == AccessEvent.objects.count() == 1
