"""A patient withdraws a request."""

from __future__ import annotations

import pytest
from django.http import Http404

from accounts.models import User
from audit.models import AccessEvent
from common.errors import NotAllowed
from connections.models import ConnectionRequest
from connections.policies import RequestClosed
from connections.services.requests import cancel_request
from connections.tests.factories import RequestFactory
from medisync.tests.client import api_client, page_client
from notifications.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(patient: User, doctor: User) -> ConnectionRequest:
    return RequestFactory(patient=patient, doctor=doctor, notes="A cough.")


def cancel(request: ConnectionRequest) -> ConnectionRequest:
    return cancel_request(actor=request.patient, request_id=request.pk)


def test_it_is_over_and_the_doctor_is_told(waiting: ConnectionRequest) -> None:
    cancel(waiting)

    waiting.refresh_from_db()
    told = Notification.objects.get()
    assert (waiting.status, waiting.decided_by) == ("CANCELLED", waiting.patient)
    assert (told.recipient, told.kind) == (waiting.doctor, "REQUEST_CANCELLED")


def test_it_is_logged_as_the_patients_act(waiting: ConnectionRequest) -> None:
    cancel(waiting)

    event = AccessEvent.objects.get()
    assert (event.action, event.actor_id, event.basis) == (
        "REQUEST_CANCELLED",
        waiting.patient_id,
        "SELF",
    )


def test_either_door_withdraws(waiting: ConnectionRequest, patient: User, doctor: User) -> None:
    answer = api_client(patient).post(f"/api/v1/requests/{waiting.pk}/cancel")

    again = RequestFactory(patient=patient, doctor=doctor)
    page = page_client(patient).post(f"/requests/{again.pk}/cancel", follow=True)
    again.refresh_from_db()
    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
    assert (again.status, "Your request is withdrawn." in page.content.decode()) == (
        "CANCELLED",
        True,
    )


def test_what_was_written_stays_the_patients_to_read(waiting: ConnectionRequest) -> None:
    cancel(waiting)

    told = api_client(waiting.patient).get(f"/api/v1/requests/{waiting.pk}").json()
    assert told["notes"] == "A cough."


@pytest.mark.parametrize("answer", ["cancelled", "rejected", "expired", "overdue"])
def test_what_is_over_is_not_withdrawn(patient: User, doctor: User, answer: str) -> None:
    closed = RequestFactory(patient=patient, doctor=doctor, **{answer: True})

    with pytest.raises(RequestClosed):
        cancel(closed)


def test_page_explains_that_it_is_over(patient: User, doctor: User) -> None:
    closed = RequestFactory(patient=patient, doctor=doctor, rejected=True)

    page = page_client(patient).post(f"/requests/{closed.pk}/cancel", follow=True)

    assert "This request has been answered, withdrawn or has expired." in page.content.decode()


def test_nobody_else_withdraws(
    waiting: ConnectionRequest, stranger: User, other_doctor: User, admin: User
) -> None:
    for outsider in (stranger, other_doctor, admin):
        with pytest.raises(Http404):
            cancel_request(actor=outsider, request_id=waiting.pk)
    with pytest.raises(NotAllowed):
        cancel_request(actor=waiting.doctor, request_id=waiting.pk)
