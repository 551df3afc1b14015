"""The first page, for each of those who may come."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import time_machine
from django.test import Client

from accounts.models import ApplicationReview, RejectReason, Status, User
from accounts.tests.factories import DoctorFactory
from accounts.tests.reviewing import reject
from chat.tests.factories import chat_of, say
from connections.models import Connection
from connections.services.connections import end_connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import page_client, sign_in
from notifications.models import Notification
from prescriptions.services.claiming import return_prescription
from prescriptions.services.disputing import dispute_claim
from prescriptions.services.refills import request_refill
from prescriptions.tests.dispensing import claim
from prescriptions.tests.factories import AMLODIPINE, issue


def test_visitor_sees_what_this_is() -> None:
    page = Client().get("/")

    assert page.status_code == 200
    assert b'href="/register"' in page.content


@pytest.mark.django_db
def test_applicant_sees_since_when_they_wait() -> None:
    applicant = DoctorFactory(status=Status.PENDING_APPROVAL)
    ApplicationReview.objects.update(created_at=dt.datetime(2026, 1, 2, 10, tzinfo=dt.UTC))

    page = page_client(applicant).get("/").content.decode()

    assert "Waiting for approval" in page
    assert "Jan. 2, 2026" in page


@pytest.mark.django_db
def test_rejected_applicant_reads_the_reason(admin: User) -> None:
    applicant = DoctorFactory(status=Status.PENDING_APPROVAL)
    reject(sign_in(admin), applicant, RejectReason.LICENCE_ENDED, "It has <expired>.")

    page = page_client(applicant).get("/").content.decode()

    assert "The licence is not in force." in page
    assert "It has &lt;expired&gt;." in page


@pytest.mark.django_db
def test_administrator_is_led_to_the_admin(admin: User) -> None:
    assert page_client(admin).get("/").url == "/admin/"


@pytest.mark.django_db
def test_patient_sees_what_to_take_and_from_whom(patient: User, connection: Connection) -> None:
    prescription = issue(connection)

    page = page_client(patient).get("/").content.decode()

    assert 'Amlodipine <bdi dir="ltr">5 mg</bdi>' in page
    assert "Take by mouth once a day for 30 days" in page
    assert f'href="/prescriptions/{prescription.pk}"' in page
    assert f'href="/connections/{connection.pk}"' in page
    assert "has issued a new prescription for you" in page


@pytest.mark.django_db
def test_patient_reads_how_to_take_it_in_arabic(patient: User, connection: Connection) -> None:
    issue(connection)
    patient.language = "ar"
    patient.save()

    page = page_client(patient).get("/").content.decode()

    assert "يؤخذ عن طريق الفم مرة واحدة يوميًا لمدة 30 يومًا" in page


@pytest.mark.django_db
def test_expired_prescription_is_nothing_to_take(
    patient: User, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    prescription = issue(connection)
    day_after = prescription.valid_until + dt.timedelta(days=1)
    monkeypatch.setattr("medisync.home.clinic_date", lambda: day_after)

    assert page_client(patient).get("/").context["prescriptions"] == []


@pytest.mark.django_db
def test_nobody_sees_what_is_anothers(
    stranger: User, other_doctor: User, connection: Connection
) -> None:
    issue(connection)

    for other in (stranger, other_doctor):
        page = page_client(other).get("/")

        assert not page.context["connections"]
        assert not page.context["prescriptions"]
        assert not page.context["notifications"]


@pytest.mark.django_db
def test_doctor_sees_patients_and_recent_prescriptions(
    doctor: User, patient: User, connection: Connection
) -> None:
    prescription = issue(connection)

    page = page_client(doctor).get("/")

    assert page.context["connections"] == [(connection, patient)]
    assert list(page.context["prescriptions"]) == [prescription]
    assert page.context["patient_count"] == 1


@pytest.mark.django_db
def test_ended_connection_leaves_the_home_page(doctor: User, connection: Connection) -> None:
    end_connection(actor=doctor, connection_id=connection.pk)

    page = page_client(doctor).get("/")

    assert page.context["connections"] == []
    assert page.context["patient_count"] == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("who", "queries"), [("patient", 21), ("doctor", 20)])
def test_home_asks_the_same_few_queries_however_much_there_is(
    who: str, queries: int, patient: User, doctor: User, django_assert_max_num_queries
) -> None:
    for number in range(3):
        pair = {"patient": {"patient": patient}, "doctor": {"doctor": doctor}}[who]
        connection = ConnectionFactory(**pair)
        issue(connection, items=[replace(AMLODIPINE, strength=f"{number} mg")])
        writes = connection.doctor if who == "patient" else connection.patient
        say(chat_of(connection), writes)
    browser = page_client(patient if who == "patient" else doctor)

    with django_assert_max_num_queries(queries):
        page = browser.get("/")

    for name in ("connections", "prescriptions", "chats"):
        assert len(page.context[name]) == 3
    assert Notification.objects.visible_to(patient).count() == (3 if who == "patient" else 0)


@pytest.mark.django_db
def test_patient_is_asked_about_pharmacies_of_the_last_day(
    patient: User, doctor: User, connection: Connection
) -> None:
    held = claim(issue(connection))

    assert "Was this you?" in page_client(patient).get("/").content.decode()
    assert "Was this you?" not in page_client(doctor).get("/").content.decode()
    with time_machine.travel(held.claim.claimed_at + dt.timedelta(hours=25)):
        assert not page_client(patient).get("/").context["claims"]


@pytest.mark.django_db
@pytest.mark.parametrize("was_given_back", [False, True])
def test_who_objected_is_not_asked_again(
    was_given_back: bool, patient: User, connection: Connection
) -> None:
    prescription = issue(connection)
    held = claim(prescription)
    if was_given_back:
        return_prescription(secret=held.secret)
    dispute_claim(actor=patient, prescription_id=prescription.pk, claim_id=held.claim.pk)

    assert not page_client(patient).get("/").context["claims"]


@pytest.mark.django_db
def test_patient_is_offered_more_when_a_medicine_runs_out(
    patient: User, connection: Connection
) -> None:
    prescription = issue(connection)
    ask = f'href="/prescriptions/{prescription.pk}/refill"'
    soon = prescription.issued_at + dt.timedelta(days=28)
    before = page_client(patient).get("/").content.decode()

    with time_machine.travel(soon):
        offered = page_client(patient).get("/").content.decode()
        end_connection(actor=patient, connection_id=connection.pk)
        parted = page_client(patient).get("/").content.decode()

    assert ask not in before
    assert ask in offered
    assert "For as long as" in parted
    assert ask not in parted


@pytest.mark.django_db
def test_requests_for_more_wait_on_both_sides(
    patient: User, doctor: User, connection: Connection
) -> None:
    asked = request_refill(actor=patient, prescription_id=issue(connection).pk)

    of_doctor, of_patient = page_client(doctor).get("/"), page_client(patient).get("/")

    assert list(of_doctor.context["refills"]) == list(of_patient.context["refills"]) == [asked]
    assert of_doctor.context["refill_count"] == 1
    assert 'href="/refills"' in of_doctor.content.decode()
