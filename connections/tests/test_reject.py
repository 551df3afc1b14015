"""A doctor declines."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404

from accounts.models import User
from audit.models import AccessEvent
from common.errors import InvalidInput, NotAllowed
from connections.models import Connection, ConnectionRequest
from connections.policies import RequestClosed
from connections.services.answers import reject_request
from connections.tests.factories import RequestFactory
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import EmailDelivery, Notification

pytestmark = pytest.mark.django_db
REASON = "My list is full until spring."


@pytest.fixture
def waiting(patient: User, doctor: User) -> ConnectionRequest:
    return RequestFactory(patient=patient, doctor=doctor)


def reject(request: ConnectionRequest, reason: str = REASON) -> ConnectionRequest:
    return reject_request(actor=request.doctor, request_id=request.pk, reason=reason)


def test_it_is_over_and_nobody_is_connected(waiting: ConnectionRequest) -> None:
    reject(waiting, f"  {REASON} ")

    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason, waiting.decided_by) == (
        "REJECTED",
        REASON,
        waiting.doctor,
    )
    assert not Connection.objects.exists()


def test_patient_reads_the_reason_by_either_door(waiting: ConnectionRequest) -> None:
    reject(waiting)

    app = api_client(waiting.patient).get(f"/api/v1/requests/{waiting.pk}").json()
    page = page_client(waiting.patient).get(f"/requests/{waiting.pk}").content.decode()
    assert (app["status"], app["reason"]) == ("REJECTED", REASON)
    assert REASON in page
    assert f"/doctors/{waiting.doctor_id}/request" in page


@pytest.mark.parametrize("reason", ["", "   ", "\u200b" * 10])
@pytest.mark.parametrize("door", ["app", "page"])
def test_without_a_reason_the_patient_reads_what_a_block_says(
    waiting: ConnectionRequest, door: str, reason: str
) -> None:
    if door == "app":
        answer = api_client(waiting.doctor).post(
            f"/api/v1/requests/{waiting.pk}/reject", {"reason": reason}
        )
    else:
        answer = page_client(waiting.doctor).post(
            f"/requests/{waiting.pk}/reject", {"reason": reason}, follow=True
        )

    waiting.refresh_from_db()
    assert answer.status_code == 200
    assert (waiting.status, waiting.reason) == ("REJECTED", "The doctor cannot take this request.")


def test_patient_reads_it_in_their_language(waiting: ConnectionRequest) -> None:
    User.objects.filter(pk=waiting.patient_id).update(language="ar")

    reject(waiting, "")

    waiting.refresh_from_db()
    assert waiting.reason != "The doctor cannot take this request."


def test_patient_is_told_and_the_mail_says_nothing_of_it(waiting: ConnectionRequest) -> None:
    reject(waiting)

    told = Notification.objects.get()
    assert (told.recipient, told.kind) == (waiting.patient, "REQUEST_REJECTED")
    assert REASON not in told.title
    assert EmailDelivery.objects.get().secret_context is None


def test_it_is_logged(waiting: ConnectionRequest) -> None:
    reject(waiting)

    event = AccessEvent.objects.get()
    assert (event.action, event.actor_id, event.basis) == (
        "REQUEST_REJECTED",
        waiting.doctor_id,
        "CARE",
    )


@pytest.mark.parametrize("reason", ["No.", "  too short  ", "123456789", "x" * 501, "a\x00" * 9])
def test_reason_that_is_given_is_of_ten_to_five_hundred_characters(
    waiting: ConnectionRequest, reason: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        reject(waiting, reason)

    waiting.refresh_from_db()
    assert refused.value.attr == "reason"
    assert waiting.is_pending


def test_app_declines(waiting: ConnectionRequest) -> None:
    url = f"/api/v1/requests/{waiting.pk}/reject"
    client = api_client(waiting.doctor)

    assert client.post(url, {"reason": "No."}).json()["errors"][0]["attr"] == "reason"
    answer = client.post(url, {"reason": REASON})

    assert (answer.status_code, answer.json()["status"]) == (200, "REJECTED")


def test_page_declines_or_says_what_is_missing(waiting: ConnectionRequest) -> None:
    url = f"/requests/{waiting.pk}/reject"
    browser = page_client(waiting.doctor)

    short = browser.post(url, {"reason": "No."})
    answer = browser.post(url, {"reason": REASON}, follow=True)

    assert short.status_code == 400
    assert "at least 10 characters" in short.content.decode()
    assert answer.redirect_chain == [("/requests", 302)]
    assert "The request is declined" in answer.content.decode()


@pytest.mark.parametrize("answer", ["cancelled", "rejected", "expired", "overdue"])
def test_what_is_over_is_not_declined(patient: User, doctor: User, answer: str) -> None:
    closed = RequestFactory(patient=patient, doctor=doctor, **{answer: True})

    with pytest.raises(RequestClosed):
        reject(closed)


def test_nobody_else_declines(
    waiting: ConnectionRequest, stranger: User, other_doctor: User, admin: User
) -> None:
    for outsider in (stranger, other_doctor, admin):
        with pytest.raises(Http404):
            reject_request(actor=outsider, request_id=waiting.pk, reason=REASON)
    with pytest.raises(NotAllowed):
        reject_request(actor=waiting.patient, request_id=waiting.pk, reason=REASON)


@pytest.mark.parametrize("reason", ["", "123456789"])
def test_database_refuses_a_rejection_without_a_reason(
    waiting: ConnectionRequest, reason: str
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ConnectionRequest.objects.filter(pk=waiting.pk).update(
            status="REJECTED",
            reason=reason,
            decided_at=waiting.created_at,
            decided_by=waiting.doctor,
        )


@pytest.mark.django_db(transaction=True)
def test_declined_twice_at_once_it_is_declined_once(waiting: ConnectionRequest) -> None:
    racers = race(lambda: reject(waiting), lambda: reject(waiting), gate=AccessEvent)

    assert errors(racers) == ["", "RequestClosed"]
    assert AccessEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_second_would_crash(waiting: ConnectionRequest) -> None:
    racers = race(lambda: reject(waiting), lambda: reject(waiting), gate=ConnectionRequest)

    assert sorted(errors(racers)) == ["", "ProgrammingError"]
