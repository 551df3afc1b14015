"""Asking for the same again: by API, by page, and at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db import connection as database
from django.http import Http404

from accounts.models import Status as Standing
from accounts.models import User
from audit.models import AccessEvent
from common.errors import NotAllowed
from connections.models import Connection
from connections.policies import ConnectionEnded
from connections.services.connections import end_connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification
from prescriptions.models import Prescription, RefillRequest, StopReason
from prescriptions.policies import AlreadyAsked, NotActive, can_request_refill
from prescriptions.services.amending import amend_prescription
from prescriptions.services.beginning import begin_with_request
from prescriptions.services.claiming import return_prescription
from prescriptions.services.issuing import Item, Order, issue_prescription
from prescriptions.services.refills import (
    cancel_refill,
    close_requests,
    decline_refill,
    request_refill,
)
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.dispensing import claim, fresh, hand_out
from prescriptions.tests.factories import AMLODIPINE, issue

pytestmark = pytest.mark.django_db
LIST = "/api/v1/refill-requests"
# Not known to the safety check, which is not what is tried here.
ZZAPOL = Item(medicine="Zzapol", quantity=3, as_needed=True)
UNKNOWN = [{"medicine": "Zzapol", "quantity": 3, "as_needed": True}]


def ask(prescription: Prescription, note: str = "") -> RefillRequest:
    return request_refill(actor=prescription.patient, prescription_id=prescription.pk, note=note)


def decline(request: RefillRequest) -> RefillRequest:
    doctor = request.prescription.doctor
    return decline_refill(actor=doctor, request_id=request.pk, reason="Come and see me.")


def kinds(user: User) -> list[str]:
    return [row.kind for row in Notification.objects.filter(recipient=user).order_by("id")]


# --- Asking --------------------------------------------------------------------


def test_patient_asks_and_the_doctor_is_told(
    connection: Connection, patient: User, doctor: User
) -> None:
    issued = issue(connection)

    answer = api_client(patient).post(
        f"/api/v1/prescriptions/{issued.pk}/refill", {"note": "It helps."}, format="json"
    )

    assert answer.status_code == 201
    said = answer.json()
    assert (said["status"], said["note"], said["number"]) == (
        "PENDING",
        "It helps.",
        issued.number,
    )
    assert kinds(doctor) == ["REFILL_REQUESTED"]
    event = AccessEvent.objects.get(action=AccessEvent.Action.REFILL_REQUESTED)
    assert (event.actor_id, event.basis) == (patient.pk, AccessEvent.Basis.SELF)


def test_second_request_waits_for_the_first(connection: Connection) -> None:
    issued = issue(connection)
    first = ask(issued)

    with pytest.raises(AlreadyAsked):
        ask(issued)
    decline(first)

    assert ask(issued).is_pending


def test_nobody_but_the_patient_asks(connection: Connection, doctor: User, stranger: User) -> None:
    issued = issue(connection)

    with pytest.raises(Http404):
        request_refill(actor=stranger, prescription_id=issued.pk)
    with pytest.raises(Http404):
        request_refill(actor=doctor, prescription_id=issued.pk)


def test_nothing_is_asked_of_a_doctor_who_may_not_prescribe(
    connection: Connection, patient: User
) -> None:
    issued = issue(connection)
    end_connection(actor=patient, connection_id=connection.pk)

    with pytest.raises(ConnectionEnded):
        ask(issued)


def test_nothing_is_asked_of_a_suspended_doctor(connection: Connection, doctor: User) -> None:
    issued = issue(connection)
    User.objects.filter(pk=doctor.pk).update(status=Standing.SUSPENDED)

    with pytest.raises(ConnectionEnded):
        ask(issued)


def test_what_was_stopped_is_not_asked_for(connection: Connection, doctor: User) -> None:
    issued = issue(connection)
    stop_prescription(actor=doctor, prescription_id=issued.pk, reason=StopReason.ALLERGY)

    with pytest.raises(NotActive):
        ask(issued)


def test_what_was_handed_out_wholly_is_asked_for(connection: Connection) -> None:
    issued = issue(connection)
    hand_out(claim(issued), (1, 30), (2, 20))

    assert ask(Prescription.objects.get(pk=issued.pk)).is_pending


# --- The answer ------------------------------------------------------------------


def test_doctor_declines_with_a_reason_that_the_patient_reads(
    connection: Connection, patient: User, doctor: User
) -> None:
    asked = ask(issue(connection))

    answer = api_client(doctor).post(
        f"{LIST}/{asked.pk}/decline", {"reason": "Come and see me."}, format="json"
    )

    assert (answer.status_code, answer.json()["status"]) == (200, "DECLINED")
    assert answer.json()["reason"] == "Come and see me."
    assert kinds(patient)[-1] == "REFILL_DECLINED"


@pytest.mark.parametrize("reason", [None, "", "  ", "x" * 501])
def test_declining_takes_a_reason(reason: str | None, connection: Connection, doctor: User) -> None:
    asked = ask(issue(connection))
    body = {} if reason is None else {"reason": reason}

    answer = api_client(doctor).post(f"{LIST}/{asked.pk}/decline", body, format="json")

    assert answer.status_code == 400
    assert RefillRequest.objects.get().is_pending


def test_patient_does_not_decline_and_doctor_does_not_cancel(
    connection: Connection, patient: User, doctor: User
) -> None:
    asked = ask(issue(connection))

    with pytest.raises(NotAllowed):
        decline_refill(actor=patient, request_id=asked.pk, reason="No.")
    with pytest.raises(Http404):
        cancel_refill(actor=doctor, request_id=asked.pk)


def test_another_doctor_finds_nothing(
    connection: Connection, other_doctor: User, stranger: User
) -> None:
    asked = ask(issue(connection))

    for actor in (other_doctor, stranger):
        with pytest.raises(Http404):
            decline_refill(actor=actor, request_id=asked.pk, reason="No.")
        assert api_client(actor).get(LIST).json()["results"] == []


def test_prescription_that_answers_it_closes_it(connection: Connection, doctor: User) -> None:
    asked = ask(issue(connection))

    answer = api_client(doctor).post(
        f"/api/v1/prescriptions/connections/{connection.pk}",
        {"items": UNKNOWN, "refill_request_id": str(asked.pk)},
        format="json",
    )

    assert answer.status_code == 201
    asked.refresh_from_db()
    assert (asked.status, str(asked.answered_with_id)) == ("ISSUED", answer.json()["id"])


def test_check_before_it_compares_with_all_but_what_is_asked_for(
    connection: Connection, doctor: User
) -> None:
    older = issue(connection, items=[AMLODIPINE])
    asked, path = ask(older), f"/api/v1/prescriptions/connections/{connection.pk}/check"
    order = {"items": [{"medicine": "Amlodipine", "frequency": 1}]}
    browser = api_client(doctor)

    def found(**named: str) -> int:
        return len(browser.post(path, order | named, format="json").json()["warnings"])

    assert found() == 1
    assert found(refill_request_id=str(asked.pk)) == found(replaces_id=str(older.pk)) == 0


def test_check_names_nothing_of_another_connection(
    connection: Connection, doctor: User, stranger: User
) -> None:
    other = ConnectionFactory(patient=stranger, doctor=doctor)
    theirs = issue(other, items=[AMLODIPINE])
    named = [{"refill_request_id": str(ask(theirs).pk)}, {"replaces_id": str(theirs.pk)}]
    path = f"/api/v1/prescriptions/connections/{connection.pk}/check"

    for body in named:
        answer = api_client(doctor).post(path, {"items": UNKNOWN} | body, format="json")
        assert answer.status_code == 404


def test_who_has_parted_is_not_told_of_pharmacies_in_the_queue(
    connection: Connection, patient: User, doctor: User
) -> None:
    issued = issue(connection)
    ask(issued)
    end_connection(actor=patient, connection_id=connection.pk)
    hand_out(claim(issued), (1, 30))

    shown = page_client(doctor).get("/refills").content.decode()

    assert "nothing handed out yet" in shown
    assert "last handed out" not in shown


@pytest.mark.parametrize("status", ["PENDING", "CANCELLED"])
def test_answer_is_final_whoever_writes(connection: Connection, status: str) -> None:
    declined = decline(ask(issue(connection)))
    decided_at = None if status == "PENDING" else declined.decided_at

    with pytest.raises(DatabaseError), transaction.atomic():
        RefillRequest.objects.filter(pk=declined.pk).update(status=status, decided_at=decided_at)

    assert RefillRequest.objects.get().status == "DECLINED"


def test_patient_takes_it_back(connection: Connection, patient: User) -> None:
    asked = ask(issue(connection))

    answer = api_client(patient).post(f"{LIST}/{asked.pk}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
    again = api_client(patient).post(f"{LIST}/{asked.pk}/cancel")
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "request_closed")


def test_list_keeps_those_of_one_status(
    connection: Connection, patient: User, doctor: User
) -> None:
    declined, waiting = ask(issue(connection)), ask(issue(connection))
    decline(declined)

    for reader in (patient, doctor):
        client = api_client(reader)
        every = [row["id"] for row in client.get(LIST).json()["results"]]
        pending = [row["id"] for row in client.get(f"{LIST}?status=PENDING").json()["results"]]
        assert every == [str(waiting.pk), str(declined.pk)]
        assert pending == [str(waiting.pk)]
    assert api_client(patient).get(f"{LIST}?status=ODD").status_code == 400


# --- What it is about changes ----------------------------------------------------------


def test_what_is_stopped_is_declined_and_the_patient_is_told(
    connection: Connection, doctor: User, patient: User
) -> None:
    asked = ask(issue(connection))

    stop(asked.prescription)

    asked.refresh_from_db()
    assert (asked.status, asked.decided_by) == ("DECLINED", doctor)
    assert "REFILL_DECLINED" in kinds(patient)


def test_what_is_stopped_when_the_pharmacy_gives_it_back_is_declined_then(
    connection: Connection, doctor: User
) -> None:
    asked = ask(issue(connection))
    held = claim(asked.prescription)
    stop(asked.prescription)

    assert RefillRequest.objects.get().is_pending
    with pytest.raises(NotActive):
        begin_with_request(actor=doctor, connection=connection, request_id=asked.pk)
    with pytest.raises(NotActive):
        issue_answer(connection, asked)
    return_prescription(secret=held.secret)

    assert RefillRequest.objects.get().status == "DECLINED"
    stops = AccessEvent.objects.filter(action=AccessEvent.Action.STOPPED)
    assert [event.actor_id for event in stops] == [doctor.pk] * 2


def test_another_version_is_what_is_asked_for(connection: Connection, doctor: User) -> None:
    asked = ask(issue(connection))

    order = Order(items=[ZZAPOL])
    second = amend_prescription(actor=doctor, prescription_id=asked.prescription_id, order=order)

    with pytest.raises(AlreadyAsked):
        ask(second)
    _request, begun = begin_with_request(actor=doctor, connection=connection, request_id=asked.pk)
    assert [item.medicine for item in begun.items] == ["Zzapol"]
    issue_answer(connection, asked)
    assert RefillRequest.objects.get().status == "ISSUED"


def test_words_of_a_doctor_who_is_forgotten_are_erased_and_who_waits_is_answered(
    connection: Connection, doctor: User, admin: User
) -> None:
    declined, waiting = decline(ask(issue(connection))), ask(issue(connection))

    close_requests(user=doctor, by=admin)

    declined.refresh_from_db()
    waiting.refresh_from_db()
    assert (declined.status, declined.reason, declined.decided_by) == ("DECLINED", "", doctor)
    assert (waiting.status, waiting.decided_by) == ("DECLINED", admin)


def stop(prescription: Prescription) -> Prescription:
    doctor = prescription.doctor
    return stop_prescription(
        actor=doctor, prescription_id=prescription.pk, reason=StopReason.ALLERGY
    )


# --- Pages -----------------------------------------------------------------------


def test_patient_asks_on_a_page(connection: Connection, patient: User) -> None:
    issued = issue(connection)
    browser = page_client(patient)
    path = f"/prescriptions/{issued.pk}/refill"

    shown = browser.get(path).content.decode()
    sent = browser.post(path, {"note": "It helps."})

    assert "Amlodipine" in shown
    assert sent.url == f"/prescriptions/{issued.pk}"
    assert RefillRequest.objects.get().note == "It helps."
    assert browser.post(path, {"note": "Again."}).status_code == 409


def test_while_one_waits_no_form_is_offered(connection: Connection, patient: User) -> None:
    issued = issue(connection)
    assert can_request_refill(patient, issued)

    ask(issued)

    assert not can_request_refill(patient, fresh(issued))
    assert page_client(patient).get(f"/prescriptions/{issued.pk}/refill").status_code == 409


def test_long_note_is_refused_beside_its_field(connection: Connection, patient: User) -> None:
    issued = issue(connection)

    answer = page_client(patient).post(f"/prescriptions/{issued.pk}/refill", {"note": "x" * 501})

    assert answer.status_code == 400
    assert "note" in answer.context["form"].errors


def test_queue_has_the_oldest_first_with_what_the_doctor_looks_at(
    connection: Connection, doctor: User
) -> None:
    first, second = issue(connection), issue(connection)
    held = claim(first)
    hand_out(held, (1, 5))
    one, other = ask(first, "Two are left."), ask(second)

    answer = page_client(doctor).get("/refills")

    page = answer.content.decode()
    assert [entry["row"] for entry in answer.context["waiting"]] == [one, other]
    assert answer.context["waiting"][0]["last_dispensed_at"] is not None
    assert answer.context["waiting"][1]["last_dispensed_at"] is None
    assert "Two are left." in page
    assert f"/connections/{connection.pk}/prescribe?refill={one.pk}" in page
    assert f'href="/refills/{one.pk}/decline"' in page


def test_doctor_who_may_not_prescribe_is_offered_to_decline_alone(
    connection: Connection, patient: User, doctor: User
) -> None:
    asked = ask(issue(connection))
    end_connection(actor=patient, connection_id=connection.pk)

    page = page_client(doctor).get("/refills").content.decode()

    assert "?refill=" not in page
    assert f'href="/refills/{asked.pk}/decline"' in page


def test_doctor_declines_on_a_page_and_finds_it_answered_afterwards(
    connection: Connection, doctor: User
) -> None:
    asked = ask(issue(connection))
    browser, path = page_client(doctor), f"/refills/{asked.pk}/decline"

    empty = browser.post(path, {"reason": ""})
    sent = browser.post(path, {"reason": "Come and see me."})

    assert (empty.status_code, sent.url) == (400, "/refills")
    assert RefillRequest.objects.get().reason == "Come and see me."
    assert browser.get(path).status_code == 409
    assert "Nobody waits for you" in browser.get("/refills").content.decode()


def test_patient_takes_it_back_on_a_page(connection: Connection, patient: User) -> None:
    asked = ask(issue(connection))

    answer = page_client(patient).post(f"/refills/{asked.pk}/cancel")

    assert answer.url == f"/prescriptions/{asked.prescription_id}"
    assert RefillRequest.objects.get().status == "CANCELLED"


def test_queue_takes_the_same_queries_however_long(
    connection: Connection, doctor: User, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        ask(issue(connection))
    browser = page_client(doctor)

    # cookie, device session; waiting, items, dispenses, their number; answered; unread count
    with django_assert_num_queries(9):
        browser.get("/refills")


# --- At once -----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_asked_twice_at_once_is_asked_once(connection: Connection) -> None:
    issued = issue(connection)

    racers = race(*[lambda: ask(issued)] * 2, gate=RefillRequest)

    assert errors(racers) == ["", "AlreadyAsked"]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_database_alone_refuses_the_second(
    connection: Connection,
    no_row_locks: None,  # noqa: F811
) -> None:
    issued = issue(connection)

    racers = race(*[lambda: ask(issued)] * 2, gate=RefillRequest)

    assert sorted(errors(racers)) == ["", "IntegrityError"]


def answers_at_once(connection: Connection) -> list[Any]:
    """The doctor declines while the patient takes it back and the doctor prescribes it."""
    asked = ask(issue(connection))
    return race(
        lambda: decline(asked),
        lambda: cancel_refill(actor=connection.patient, request_id=asked.pk),
        lambda: issue_answer(connection, asked),
        gate=RefillRequest,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stops_first", [True, False])
def test_stopped_and_answered_at_once(stops_first: bool, connection: Connection) -> None:
    asked = ask(issue(connection))
    acts = [lambda: stop(asked.prescription), lambda: issue_answer(connection, asked)]

    racers = race(*(acts if stops_first else acts[::-1]), gate=RefillRequest)

    if stops_first:
        assert errors(racers) == ["", "RequestAnswered"]
        assert RefillRequest.objects.get().status == "DECLINED"
    else:
        assert errors(racers) == ["", ""]
        assert RefillRequest.objects.get().status == "ISSUED"


def issue_answer(connection: Connection, asked: RefillRequest) -> Prescription:
    return issue_prescription(
        actor=connection.doctor,
        connection_id=connection.pk,
        order=Order(items=[ZZAPOL]),
        refill_request_id=asked.pk,
    )


@pytest.mark.django_db(transaction=True)
def test_of_three_answers_at_once_one_counts(connection: Connection) -> None:
    racers = answers_at_once(connection)

    assert errors(racers) == ["", "RequestAnswered", "RequestAnswered"]
    assert RefillRequest.objects.get().status == "DECLINED"
    assert Prescription.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_several_answers_would_count(
    connection: Connection,
    no_row_locks: None,  # noqa: F811
) -> None:
    racers = answers_at_once(connection)

    assert sorted(errors(racers)) != ["", "RequestAnswered", "RequestAnswered"]


# --- In the database ------------------------------------------------------------------------


def test_request_is_between_the_two_of_its_prescription(
    connection: Connection, other_doctor: User, stranger: User
) -> None:
    prescription = issue(connection)
    people = {"patient": connection.patient, "doctor": connection.doctor}

    for wrong in ({"patient": stranger}, {"doctor": other_doctor}):
        with pytest.raises(DatabaseError, match="between the two"), transaction.atomic():
            RefillRequest.objects.create(prescription=prescription, **(people | wrong))


@pytest.fixture
def others_ask(connection: Connection) -> None:
    """Some thousands of requests between other people."""
    ask(issue(connection))
    columns = [field.column for field in RefillRequest._meta.concrete_fields]
    changed = {"id", "prescription_id", "patient_id", "doctor_id"}
    values = ["gen_random_uuid()" if name in changed else name for name in columns]
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO prescriptions_refillrequest ({', '.join(columns)})"
            f" SELECT {', '.join(values)} FROM prescriptions_refillrequest,"
            " generate_series(1, 5000)"
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        cursor.execute("ANALYZE prescriptions_refillrequest")


@pytest.mark.usefixtures("others_ask")
def test_lists_look_at_ones_own_requests_alone(patient: User, doctor: User) -> None:
    for user, waiting in ((patient, "refill_by_patient"), (doctor, "refill_waiting")):
        mine = RefillRequest.objects.visible_to(user)

        plans = [mine[:21].explain(), mine.pending().order_by("id")[:20].explain()]

        assert waiting in plans[1], plans[1]
        assert all("refill_" in plan and "Seq Scan" not in plan for plan in plans), plans
