"""A patient asks a doctor."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import DatabaseError, IntegrityError, transaction
from django.http import Http404
from django.utils import timezone

from accounts.models import Status, User
from accounts.policies import AccountNotActive
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from audit.models import AccessEvent
from common.errors import InvalidInput, NotAllowed
from common.ids import uuid7
from connections.models import Connection, ConnectionRequest
from connections.policies import (
    AlreadyConnected,
    AlreadyRequested,
    DoctorNotAvailable,
    YouBlocked,
)
from connections.services.connections import block, connect
from connections.services.grants import Sharing
from connections.services.requests import cancel_request, send_request
from connections.tests.factories import ConnectionFactory, RequestFactory
from connections.tests.pictures import bomb, photo, picture, upload
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from medisync.tests.world import NOTHING_SHARED
from notifications.models import EmailDelivery, Notification

pytestmark = pytest.mark.django_db
URL = "/api/v1/requests"
SHARE = {
    "categories": ["ALLERGIES", "LAB_RESULT"],
    "data_from": "2025-01-01",
    "ends_at": None,
    "purpose": "SECOND_OPINION",
}


def ask(patient: User, doctor: User, **told: Any) -> ConnectionRequest:
    return send_request(actor=patient, doctor_id=doctor.pk, **told)


def page(doctor: User) -> str:
    return f"/doctors/{doctor.pk}/request"


def test_request_waits_for_thirty_days(patient: User, doctor: User) -> None:
    sent = ask(patient, doctor, notes="  A cough. ")

    sent.refresh_from_db()
    assert (sent.patient, sent.doctor, sent.status, sent.notes) == (
        patient,
        doctor,
        "PENDING",
        "A cough.",
    )
    assert sent.expires_at - sent.created_at == pytest.approx(
        dt.timedelta(days=30), abs=dt.timedelta(seconds=5)
    )
    assert not Connection.objects.exists()


def test_doctor_is_told_who_asks_and_the_mail_does_not_say(patient: User, doctor: User) -> None:
    sent = ask(patient, doctor)

    told = Notification.objects.get()
    assert (told.recipient, told.title) == (doctor, "Mona Adel asks to connect with you.")
    assert told.url == f"/requests/{sent.pk}"
    assert EmailDelivery.objects.get().kind == "CONNECTION_REQUESTED"


def test_it_is_logged_as_the_patients_act(patient: User, doctor: User) -> None:
    sent = ask(patient, doctor)

    event = AccessEvent.objects.get()
    assert (event.action, event.actor_id, event.patient_id, event.basis, event.object_id) == (
        "REQUESTED",
        patient.pk,
        patient.pk,
        "SELF",
        sent.pk,
    )


def test_app_asks_with_what_it_would_share(patient: User, doctor: User) -> None:
    body = {"doctor_id": str(doctor.pk), "notes": "A cough.", "share": SHARE}

    answer = api_client(patient).post(URL, body)

    told = answer.json()
    assert answer.status_code == 201, told
    assert (told["status"], told["notes"], told["share"]) == ("PENDING", "A cough.", SHARE)
    assert (told["has_image"], told["doctor"]["display_name"]) == (False, "Dr Karim Nabil")


def test_who_does_not_say_shares_nothing(patient: User, doctor: User) -> None:
    told = api_client(patient).post(URL, {"doctor_id": str(doctor.pk)}).json()

    assert told["share"]["categories"] == []


def test_app_asks_with_a_picture_in_a_form(patient: User, doctor: User) -> None:
    body = {
        "doctor_id": str(doctor.pk),
        "share": json.dumps(SHARE),
        "prescription_image": upload(photo()),
    }

    answer = api_client(patient).post(URL, body, format="multipart")

    told = answer.json()
    assert answer.status_code == 201, told
    assert (told["has_image"], told["share"]) == (True, SHARE)
    sent = ConnectionRequest.objects.get()
    assert sent.image.name.startswith("requests/")
    with sent.image.open("rb") as file:
        assert b"Exif" not in file.read()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("share", "not JSON"),
        ("share", "[]"),
        ("share", '{"categories": ["SECRETS"]}'),
        ("share", '{"categories": [], "more": 1}'),
        ("prescription_image", "text in place of a file"),
        ("more", "x"),
    ],
)
def test_form_of_the_app_is_as_strict_as_its_json(
    patient: User, doctor: User, field: str, value: str
) -> None:
    body = {"doctor_id": str(doctor.pk), field: value}

    answer = api_client(patient).post(URL, body, format="multipart")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"].split(".")[0] == field
    assert not ConnectionRequest.objects.exists()


def test_app_is_told_where_in_its_body_the_fault_is(patient: User, doctor: User) -> None:
    share = SHARE | {"data_from": "2999-01-01"}

    answer = api_client(patient).post(URL, {"doctor_id": str(doctor.pk), "share": share})

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "share.data_from")


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"%PDF-1.7 ", bomb(), picture("JPEG") + b"\0" * 10 * 1024 * 1024],
    ids=["empty", "HTML", "PDF", "a bomb", "too large"],
)
def test_what_is_no_picture_is_a_400_at_its_field(
    patient: User, doctor: User, content: bytes
) -> None:
    body = {"doctor_id": str(doctor.pk), "prescription_image": upload(content)}

    answer = api_client(patient).post(URL, body, format="multipart")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "prescription_image"
    assert not ConnectionRequest.objects.exists()


def test_page_asks_and_leads_to_the_request(patient: User, doctor: User) -> None:
    body = {
        "notes": "A cough.",
        "prescription_image": upload(photo()),
        "categories": ["ALLERGIES"],
        **NOTHING_SHARED,
    }

    answer = page_client(patient).post(page(doctor), body, follow=True)

    sent = ConnectionRequest.objects.get()
    assert answer.redirect_chain == [(f"/requests/{sent.pk}", 302)]
    assert (sent.notes, sent.categories, bool(sent.image)) == ("A cough.", ["ALLERGIES"], True)
    assert "Your request is sent." in answer.content.decode()


def test_page_says_beside_the_field_what_is_wrong_with_the_picture(
    patient: User, doctor: User
) -> None:
    body = {"prescription_image": upload(b""), **NOTHING_SHARED}

    answer = page_client(patient).post(page(doctor), body)

    assert answer.status_code == 400
    assert "prescription_image" in answer.context["form"].errors


def test_page_of_a_doctor_who_was_asked_leads_on(
    connection: Connection, other_doctor: User
) -> None:
    patient = connection.patient
    RequestFactory(patient=patient, doctor=other_doctor)
    browser = page_client(patient)

    assert browser.get(page(other_doctor)).url == "/requests"
    assert browser.get(page(connection.doctor)).url == "/connections"


def test_one_request_waits_at_a_time(patient: User, doctor: User) -> None:
    ask(patient, doctor)

    with pytest.raises(AlreadyRequested):
        ask(patient, doctor)


@pytest.mark.parametrize("answer", ["cancelled", "rejected", "expired"])
def test_who_got_no_connection_may_ask_again(patient: User, doctor: User, answer: str) -> None:
    RequestFactory(patient=patient, doctor=doctor, **{answer: True})

    assert ask(patient, doctor).is_pending


def test_request_whose_time_is_over_gives_way_to_another(patient: User, doctor: User) -> None:
    old = RequestFactory(patient=patient, doctor=doctor, overdue=True)

    new = ask(patient, doctor)

    old.refresh_from_db()
    assert (old.status, new.status) == ("EXPIRED", "PENDING")


def test_connected_people_do_not_ask(connection: Connection) -> None:
    with pytest.raises(AlreadyConnected):
        ask(connection.patient, connection.doctor)


def test_who_was_connected_asks_again(patient: User, doctor: User) -> None:
    ConnectionFactory(patient=patient, doctor=doctor, ended=True)

    assert ask(patient, doctor).is_pending


def test_who_is_blocked_learns_no_more_than_that_the_doctor_is_not_to_be_had(
    patient: User, doctor: User
) -> None:
    ConnectionFactory(patient=patient, doctor=doctor, blocked_by_doctor=True)

    with pytest.raises(DoctorNotAvailable):
        ask(patient, doctor)


def test_who_blocks_is_reminded_of_it(patient: User, doctor: User) -> None:
    ConnectionFactory(patient=patient, doctor=doctor, blocked_by_patient=True)

    with pytest.raises(YouBlocked):
        ask(patient, doctor)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACTIVE}))
def test_doctor_must_be_in_good_standing(patient: User, status: Status) -> None:
    with pytest.raises(DoctorNotAvailable):
        ask(patient, DoctorFactory(status=status))


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACTIVE}))
def test_patient_must_be_in_good_standing(doctor: User, status: Status) -> None:
    with pytest.raises(AccountNotActive):
        ask(PatientFactory(status=status), doctor)


@pytest.mark.parametrize("actor", [DoctorFactory, AdminFactory])
def test_only_patients_ask(doctor: User, actor: type) -> None:
    with pytest.raises(NotAllowed):
        ask(actor(), doctor)


@pytest.mark.parametrize("other", [PatientFactory, AdminFactory])
def test_only_doctors_are_asked(patient: User, other: type) -> None:
    with pytest.raises(DoctorNotAvailable):
        ask(patient, other())


def test_doctor_who_does_not_exist_is_not_found(patient: User) -> None:
    with pytest.raises(Http404):
        send_request(actor=patient, doctor_id=uuid7())


@pytest.mark.parametrize(
    ("told", "attr"),
    [
        ({"notes": "x" * 1001}, "notes"),
        ({"notes": "a\x00b"}, "notes"),
        ({"sharing": Sharing(categories=("SECRETS",))}, "categories"),
        ({"sharing": Sharing(("ALLERGIES",), purpose="FUN")}, "purpose"),
        ({"sharing": Sharing(("ALLERGIES",), data_from=dt.date(2999, 1, 1))}, "data_from"),
        ({"sharing": Sharing(("ALLERGIES",), ends_at=timezone.now())}, "ends_at"),
    ],
    ids=["long notes", "a zero byte", "category", "purpose", "first day", "end"],
)
def test_what_cannot_be_meant_is_refused_at_its_field(
    patient: User, doctor: User, told: dict[str, Any], attr: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(patient, doctor, **told)

    assert refused.value.attr == attr


def test_eleventh_request_of_an_hour_is_too_many_by_either_door(patient: User) -> None:
    app, browser = api_client(patient), page_client(patient)
    for _ in range(5):
        assert app.post(URL, {"doctor_id": str(uuid7())}).status_code == 404
    doctors = DoctorFactory.create_batch(6)
    for doctor in doctors[:5]:
        assert browser.post(page(doctor), NOTHING_SHARED).status_code == 302

    answers = [
        app.post(URL, {"doctor_id": str(doctors[5].pk)}),
        browser.post(page(doctors[5]), NOTHING_SHARED),
    ]

    assert [answer.status_code for answer in answers] == [429, 429]
    assert all(int(answer["Retry-After"]) > 0 for answer in answers)


def stored() -> set[str]:
    try:
        return set(default_storage.listdir("requests")[1])
    except FileNotFoundError:
        return set()


def test_refused_request_leaves_no_picture(connection: Connection) -> None:
    before = stored()

    with pytest.raises(AlreadyConnected):
        ask(connection.patient, connection.doctor, image=upload(photo()))

    assert stored() == before


@pytest.mark.django_db(transaction=True)
def test_picture_goes_with_a_commit_that_fails(patient: User, doctor: User) -> None:
    """The foreign keys are checked at the commit: a doctor who is gone by then undoes it."""
    before = stored()
    with transaction.atomic():
        User.objects.filter(pk=doctor.pk).update(status=Status.ACTIVE)

    with pytest.raises(IntegrityError):
        _ask_while_the_doctor_disappears(patient, doctor)

    assert not ConnectionRequest.objects.exists()
    assert stored() == before


def _ask_while_the_doctor_disappears(patient: User, doctor: User) -> None:
    """A constraint that holds at the commit alone, broken in the same transaction."""
    from django.db import connection as database

    with database.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.fails() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE integrity_constraint_violation; END $$"
        )
        cursor.execute(
            "CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON connections_connectionrequest "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.fails()"
        )
    try:
        ask(patient, doctor, image=upload(photo()))
    finally:
        with database.cursor() as cursor:
            cursor.execute("DROP TRIGGER fails ON connections_connectionrequest")


# --- What the database holds, whoever writes -------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "ACCEPTED"},
        {"status": "EXPIRED"},
        {"decided_at": timezone.now()},
        {"reason": "No reason is given yet."},
        {"categories": ["SECRETS"]},
        {"purpose": "FUN"},
    ],
    ids=["accepted by nobody", "expired never", "decided and waiting", "a reason before an answer",
         "unknown category", "unknown purpose"],
)  # fmt: skip
def test_database_refuses_a_row_that_cannot_be(
    patient: User, doctor: User, changes: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        RequestFactory(patient=patient, doctor=doctor, **changes)


def test_database_keeps_one_waiting_request_a_pair(patient: User, doctor: User) -> None:
    RequestFactory(patient=patient, doctor=doctor)

    with pytest.raises(IntegrityError), transaction.atomic():
        RequestFactory(patient=patient, doctor=doctor)


def test_database_refuses_a_request_to_oneself(doctor: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        RequestFactory(patient=doctor, doctor=doctor)


@pytest.mark.parametrize("standing", [{}, {"blocked_by_doctor": True}], ids=["active", "blocked"])
def test_database_refuses_a_waiting_request_of_the_connected_and_the_blocked(
    patient: User, doctor: User, standing: dict[str, Any]
) -> None:
    ConnectionFactory(patient=patient, doctor=doctor, **standing)

    with pytest.raises(DatabaseError), transaction.atomic():
        RequestFactory(patient=patient, doctor=doctor)


@pytest.mark.parametrize("status", ["PENDING", "ACCEPTED"])
def test_database_keeps_an_answer_for_good(patient: User, doctor: User, status: str) -> None:
    answered = RequestFactory(patient=patient, doctor=doctor, rejected=True)

    with pytest.raises(DatabaseError), transaction.atomic():
        ConnectionRequest.objects.filter(pk=answered.pk).update(status=status, reason="")


# --- Two at once ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_asked_twice_at_once_one_request_waits(patient: User, doctor: User) -> None:
    racers = race(
        lambda: ask(patient, doctor), lambda: ask(patient, doctor), gate=ConnectionRequest
    )

    assert errors(racers) == ["", "AlreadyRequested"]
    assert ConnectionRequest.objects.count() == Notification.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_second_would_crash(patient: User, doctor: User) -> None:
    racers = race(
        lambda: ask(patient, doctor), lambda: ask(patient, doctor), gate=ConnectionRequest
    )

    assert sorted(errors(racers)) == ["", "IntegrityError"]


def scan(patient: User, doctor: User) -> Connection:
    return connect(actor=patient, doctor_id=doctor.pk, origin=Connection.Origin.QR)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["ask", "scan"])
def test_asking_while_scanning_ends_connected(patient: User, doctor: User, first: str) -> None:
    acts = {"ask": lambda: ask(patient, doctor), "scan": lambda: scan(patient, doctor)}
    order = [first, *(acts.keys() - {first})]

    racers = race(*(acts[name] for name in order), gate=AccessEvent)

    assert Connection.objects.get().is_active
    assert not ConnectionRequest.objects.pending().exists()
    assert errors(racers) == (["", ""] if first == "ask" else ["", "AlreadyConnected"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_connected_would_wait_for_an_answer(
    patient: User, doctor: User
) -> None:
    race(lambda: scan(patient, doctor), lambda: ask(patient, doctor), gate=AccessEvent)

    assert Connection.objects.get().is_active
    assert ConnectionRequest.objects.pending().exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["ask", "block"])
def test_asking_while_being_blocked_ends_blocked(patient: User, doctor: User, first: str) -> None:
    RequestFactory(patient=patient, doctor=doctor, rejected=True)
    acts = {
        "ask": lambda: ask(patient, doctor),
        "block": lambda: block(actor=doctor, person_id=patient.pk),
    }
    order = [first, *(acts.keys() - {first})]

    racers = race(*(acts[name] for name in order), gate=AccessEvent)

    assert Connection.objects.get().status == "BLOCKED"
    assert not ConnectionRequest.objects.pending().exists()
    assert errors(racers) == (["", ""] if first == "ask" else ["", "DoctorNotAvailable"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_a_request_of_a_blocked_patient_would_wait(
    patient: User, doctor: User
) -> None:
    RequestFactory(patient=patient, doctor=doctor, rejected=True)
    race(
        lambda: block(actor=doctor, person_id=patient.pk),
        lambda: ask(patient, doctor),
        gate=AccessEvent,
    )

    assert Connection.objects.get().status == "BLOCKED"
    assert ConnectionRequest.objects.pending().exists()


@pytest.mark.django_db(transaction=True)
def test_asking_again_while_withdrawing_is_one_or_the_other(patient: User, doctor: User) -> None:
    waiting = RequestFactory(patient=patient, doctor=doctor)

    racers = race(
        lambda: cancel_request(actor=patient, request_id=waiting.pk),
        lambda: ask(patient, doctor),
        gate=AccessEvent,
    )

    assert errors(racers) == ["", ""]
    assert [row.status for row in ConnectionRequest.objects.order_by("id")] == [
        "CANCELLED",
        "PENDING",
    ]
