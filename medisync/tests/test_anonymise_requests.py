"""Who is anonymised asks for nothing any more, and what they told in requests is gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import DeviceSession, User
from accounts.services.anonymise import WrongAddress
from accounts.tests.test_anonymise import tables_with
from audit.models import AccessEvent
from connections.models import AccessGrant, Connection, ConnectionRequest, DataCategory
from connections.services.answers import reject_request
from connections.services.connections import end_connection
from connections.services.reminders import tell_ending
from connections.services.requests import send_request
from connections.tests.asking import ask, looked
from connections.tests.factories import ConnectionFactory, RequestFactory
from connections.tests.pictures import photo, upload
from medisync.anonymise import anonymise_everywhere
from medisync.tests.client import page_client, sign_in
from notifications.models import DeliveryAttempt, EmailDelivery, Notification, Preferences
from notifications.outbox import deliver
from notifications.services import notify, set_preferences
from notifications.wording import Kind
from prescriptions.models import Prescription, PrescriptionTemplate, RefillRequest
from prescriptions.services.issuing import Order
from prescriptions.services.refills import decline_refill, request_refill
from prescriptions.services.templates import save_template
from prescriptions.tests.factories import PARACETAMOL, issue

pytestmark = pytest.mark.django_db
Commits = Callable[..., object]


@pytest.fixture
def session(admin: User) -> DeviceSession:
    return sign_in(admin)


def forget(session: DeviceSession, user: User, email: str = "") -> None:
    anonymise_everywhere(
        session=session, user_id=user.pk, email=email or user.email, reason="Asked in writing."
    )


def test_words_and_pictures_of_a_patient_are_erased(
    session: DeviceSession,
    patient: User,
    doctor: User,
    django_capture_on_commit_callbacks: Commits,
) -> None:
    request = send_request(
        actor=patient, doctor_id=doctor.pk, notes="Mona: a cough.", image=upload(photo())
    )
    name = request.image.name
    reject_request(actor=doctor, request_id=request.pk, reason="Mona, my list is full.")

    with django_capture_on_commit_callbacks(execute=True):
        forget(session, patient)

    request.refresh_from_db()
    assert (request.status, request.notes, request.image.name) == ("REJECTED", "", "")
    assert "Mona" not in request.reason
    assert not default_storage.exists(name)


@pytest.mark.parametrize(
    ("language", "left"),
    [
        ("en", "The doctor cannot take this request."),
        ("ar", "لا يمكن للطبيب قبول هذا الطلب."),
    ],
)
def test_reasons_that_a_doctor_gave_are_erased(
    session: DeviceSession, patient: User, doctor: User, language: str, left: str
) -> None:
    User.objects.filter(pk=patient.pk).update(language=language)
    request = RequestFactory(patient=patient, doctor=doctor)
    reject_request(actor=doctor, request_id=request.pk, reason="Ring me. Dr Nabil, 0100 123 4567.")

    forget(session, doctor)

    request.refresh_from_db()
    assert (request.status, request.reason) == ("REJECTED", left)


def test_reasons_of_other_doctors_to_others_stay(
    session: DeviceSession, patient: User, doctor: User
) -> None:
    other = RequestFactory(rejected=True)

    forget(session, doctor)

    kept = other.reason
    other.refresh_from_db()
    assert other.reason == kept


@pytest.mark.parametrize(
    ("who", "status", "told"),
    [("patient", "CANCELLED", "doctor"), ("doctor", "REJECTED", "patient")],
)
def test_request_that_waits_is_closed_and_the_other_side_told(
    session: DeviceSession, patient: User, doctor: User, who: str, status: str, told: str
) -> None:
    people = {"patient": patient, "doctor": doctor}
    waiting = RequestFactory(patient=patient, doctor=doctor)

    forget(session, people[who])

    waiting.refresh_from_db()
    event = AccessEvent.objects.get()
    assert (waiting.status, waiting.decided_by) == (status, session.user)
    assert (event.action, event.basis) == (f"REQUEST_{status}", "ADMINISTRATION")
    assert Notification.objects.get().recipient == people[told]


@pytest.mark.parametrize("who", ["patient", "doctor"])
def test_nothing_is_shared_any_more(session: DeviceSession, patient: User, who: str) -> None:
    connection = ConnectionFactory(patient=patient)
    grant = AccessGrant.objects.create(connection=connection, categories=DataCategory.values)
    browser = page_client(connection.doctor)
    assert browser.get(f"/patients/{patient.pk}").status_code == 200

    forget(session, getattr(connection, who))

    grant.refresh_from_db()
    event = AccessEvent.objects.filter(patient_id=patient.pk).first()
    assert (grant.end_reason, grant.ended_by) == ("ANONYMISED", session.user)
    assert (event.action, event.basis) == ("GRANT_REVOKED", "ADMINISTRATION")
    assert browser.get(f"/patients/{patient.pk}").status_code != 200


def test_grants_of_others_are_left_alone(session: DeviceSession, patient: User) -> None:
    other = ConnectionFactory()
    grant = AccessGrant.objects.create(connection=other, categories=DataCategory.values)
    ConnectionFactory(patient=patient, doctor=other.doctor)

    forget(session, patient)

    grant.refresh_from_db()
    assert grant.ended_at is None


def test_nobody_is_reminded_of_what_a_forgotten_patient_shared(
    session: DeviceSession, patient: User
) -> None:
    connection = ConnectionFactory(patient=patient)
    soon = timezone.now() + dt.timedelta(days=1)
    AccessGrant.objects.create(connection=connection, categories=DataCategory.values, ends_at=soon)
    forget(session, patient)

    told = tell_ending(timezone.now())
    end_connection(actor=connection.doctor, connection_id=connection.pk)

    assert told == 0
    assert not Notification.objects.filter(recipient=patient).exists()
    assert not EmailDelivery.objects.filter(recipient=patient).exists()


def test_no_table_tells_what_they_wrote_and_chose(
    session: DeviceSession, patient: User, doctor: User
) -> None:
    request = RequestFactory(patient=patient, doctor=doctor, notes="Zebulina coughs.")
    told = notify(recipient=patient, kind=Kind.REQUEST_REJECTED, url="/", about=doctor)
    deliver(told.email.pk)
    set_preferences(actor=patient, quiet_from=None, quiet_until=None, events=[])
    ask(patient, looked(doctor, patient), question=f"Why was {patient.last_name} looked at?")
    reject_request(actor=doctor, request_id=request.pk, reason="Zebulina, my list is full.")
    words = ("zebulina", patient.email, patient.last_name)
    left = set(tables_with(*words))
    assert {"connections_connectionrequest", "audit_accesscase"} <= left

    forget(session, patient)

    assert tables_with(*words) == {}
    assert DeliveryAttempt.objects.filter(delivery__recipient=patient).exists()
    assert not Preferences.objects.filter(user=patient).exists()


def test_requests_of_others_are_left_alone(
    session: DeviceSession, patient: User, doctor: User, stranger: User
) -> None:
    other = RequestFactory(patient=stranger, doctor=doctor, notes="A rash.")

    forget(session, patient)

    other.refresh_from_db()
    assert (other.status, other.notes) == ("PENDING", "A rash.")


def test_refusal_erases_nothing(session: DeviceSession, patient: User, doctor: User) -> None:
    request = RequestFactory(patient=patient, doctor=doctor, notes="A cough.")

    with pytest.raises(WrongAddress):
        forget(session, patient, email="slip@example.org")

    request.refresh_from_db()
    assert (request.status, request.notes) == ("PENDING", "A cough.")


def test_page_of_the_admin_goes_the_same_way(admin: User, patient: User, doctor: User) -> None:
    RequestFactory(patient=patient, doctor=doctor, notes="A cough.")

    answer = page_client(admin).post(
        f"/admin/accounts/user/{patient.pk}/anonymise/",
        {"email": patient.email, "reason": "Asked in writing."},
    )

    assert answer.status_code == 302
    assert ConnectionRequest.objects.get().notes == ""


def test_patient_no_longer_asks_for_more_and_the_words_are_erased(
    session: DeviceSession, connection: Connection
) -> None:
    answered, waiting = issue(connection), issue(connection)
    first = ask_again(answered, "Mona here.")
    decline_refill(actor=connection.doctor, request_id=first.pk, reason="Mona, come first.")
    ask_again(waiting, "Mona again.")

    forget(session, connection.patient)

    rows = RefillRequest.objects.order_by("id").values_list("status", "note", "reason")
    assert list(rows) == [("DECLINED", "", ""), ("CANCELLED", "", "")]
    assert not tables_with("Mona again.")


def test_what_is_asked_of_a_doctor_is_declined_and_the_patient_told(
    session: DeviceSession, connection: Connection
) -> None:
    ask_again(issue(connection), "It helps.")
    order = Order(items=[PARACETAMOL])
    save_template(actor=connection.doctor, name="Fever", order=order)

    forget(session, connection.doctor)

    request = RefillRequest.objects.get()
    assert (request.status, request.reason, request.note) == ("DECLINED", "", "It helps.")
    assert Notification.objects.filter(
        recipient=connection.patient, kind=Kind.REFILL_DECLINED
    ).exists()
    assert not PrescriptionTemplate.objects.exists()


def ask_again(prescription: Prescription, note: str) -> RefillRequest:
    return request_refill(actor=prescription.patient, prescription_id=prescription.pk, note=note)
