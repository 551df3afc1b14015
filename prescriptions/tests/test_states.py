"""How a prescription stands: the arrows that the database keeps, and the lists by state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, transaction
from django.db import connection as database

from accounts.models import User
from common.clock import clinic_date
from connections.models import Connection
from connections.services.connections import end_connection
from medisync.tests.client import api_client, page_client
from prescriptions.models import Prescription, StopReason
from prescriptions.services.amending import amend_prescription
from prescriptions.services.issuing import Order
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.dispensing import claim, fresh, hand_out
from prescriptions.tests.factories import AMLODIPINE, PARACETAMOL, issue

pytestmark = pytest.mark.django_db
State = Prescription.State
STATUSES = ["active", "completed", "stopped", "superseded", "entered-in-error"]
ARROWS = {
    ("active", "completed"), ("active", "stopped"), ("active", "superseded"),
    ("active", "entered-in-error"), ("completed", "active"), ("completed", "stopped"),
    ("completed", "entered-in-error"), ("stopped", "entered-in-error"),
}  # fmt: skip


def amended(prescription: Prescription) -> Prescription:
    amend_prescription(
        actor=prescription.doctor,
        prescription_id=prescription.pk,
        order=Order(items=[replace(PARACETAMOL, medicine="Cod liver oil")]),
    )
    return prescription


def completed(prescription: Prescription) -> Prescription:
    held = claim(prescription)
    items = prescription.items.all()
    hand_out(held, *((item.position, item.quantity) for item in items))
    return prescription


def stopped(prescription: Prescription, reason: StopReason = StopReason.NOT_NEEDED) -> Prescription:
    return stop_prescription(
        actor=prescription.doctor, prescription_id=prescription.pk, reason=reason
    )


def mistaken(prescription: Prescription) -> Prescription:
    return stopped(prescription, StopReason.ENTERED_IN_ERROR)


INTO: dict[str, Callable[[Prescription], Prescription]] = {
    "active": lambda prescription: prescription,
    "completed": completed,
    "stopped": stopped,
    "superseded": amended,
    "entered-in-error": mistaken,
}
REASONS = {"stopped": "ALLERGY", "entered-in-error": "ENTERED_IN_ERROR"}


def execute(sql: str, *values: Any) -> None:
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def set_status(prescription: Prescription, status: str) -> None:
    execute(
        "UPDATE prescriptions_prescription SET status = %s, status_reason = %s, "
        "status_at = now() WHERE id = %s",
        status,
        REASONS.get(status, ""),
        prescription.pk,
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [(old, new) for old in STATUSES for new in STATUSES if old != new and (old, new) not in ARROWS],
)
def test_database_refuses_every_other_arrow(connection: Connection, old: str, new: str) -> None:
    prescription = INTO[old](issue(connection))

    with pytest.raises(DatabaseError), transaction.atomic():
        set_status(prescription, new)

    assert Prescription.objects.get(pk=prescription.pk).status == old


@pytest.mark.parametrize(("old", "new"), sorted(ARROWS - {("active", "superseded")}))
def test_database_lets_these_arrows_pass(connection: Connection, old: str, new: str) -> None:
    prescription = INTO[old](issue(connection))

    set_status(prescription, new)

    assert Prescription.objects.get(pk=prescription.pk).status == new


def test_nothing_is_superseded_without_a_successor(connection: Connection) -> None:
    prescription = issue(connection)

    with pytest.raises(DatabaseError, match="replaced by a version"), transaction.atomic():
        set_status(prescription, "superseded")


def test_of_one_number_one_version_is_current(connection: Connection) -> None:
    row = issue(connection)
    row.pk, row.version, row.replaces_id = None, 2, row.pk
    row.verification_digest = "another"

    with pytest.raises(IntegrityError, match="one_current_version"), transaction.atomic():
        row.save(force_insert=True)


def test_version_replaces_the_one_before_of_the_same_people(connection: Connection) -> None:
    other = amended(issue(connection))
    row = Prescription.objects.get(number=other.number, version=2)
    row.pk, row.number, row.client_id = None, "7K3-M9Q-2TC", None
    row.verification_digest = "another"

    with pytest.raises(DatabaseError), transaction.atomic():
        row.save(force_insert=True)
        execute("SELECT 1")


@pytest.mark.parametrize(
    "values",
    [
        "status = 'stopped', status_at = now()",
        "status = 'stopped', status_reason = 'ALLERGY'",
        "status = 'stopped', status_reason = 'ENTERED_IN_ERROR', status_at = now()",
        "status = 'entered-in-error', status_reason = 'ALLERGY', status_at = now()",
        "status_reason = 'ALLERGY'",
        "stop_requested_at = now()",
        "status = 'cancelled', status_at = now()",
        "wrong_pins = 11",
    ],
)
def test_database_refuses_a_state_that_says_half(connection: Connection, values: str) -> None:
    issue(connection)

    with pytest.raises(DatabaseError), transaction.atomic():
        execute(f"UPDATE prescriptions_prescription SET {values}")


# --- Lists ----------------------------------------------------------------------


@pytest.fixture
def one_of_each(connection: Connection) -> dict[str, Prescription]:
    """By the state it is shown in; `newest` is the version that replaced one."""
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=60)
    with time_machine.travel(long_ago):
        expired = issue(connection)
    rows = {status: issue(connection) for status in STATUSES}
    for status, prescription in rows.items():
        INTO[status](prescription)
    newest = Prescription.objects.get(version=2)
    return rows | {"expired": expired, "newest": newest}


def test_each_is_in_its_state_and_in_no_other(one_of_each: dict[str, Prescription]) -> None:
    today = clinic_date()
    found = {str(state): set(Prescription.objects.in_state(state, today)) for state in State}

    assert found.pop("active") == {one_of_each["active"], one_of_each["newest"]}
    assert found == {state: {one_of_each[state]} for state in found}
    for state, rows in found.items():
        assert {row.state(today) for row in rows} == {state}


def test_active_and_past_part_the_last_versions(one_of_each: dict[str, Prescription]) -> None:
    today = clinic_date()
    active = set(Prescription.objects.active(today))
    past = set(Prescription.objects.past(today))

    assert active == {one_of_each["active"], one_of_each["newest"]}
    assert past == set(one_of_each.values()) - active - {one_of_each["superseded"]}


def test_doctors_list_finds_by_state(one_of_each: dict[str, Prescription], doctor: User) -> None:
    browser = page_client(doctor)

    for state in (State.EXPIRED, State.COMPLETED, State.STOPPED, State.SUPERSEDED):
        page = browser.get("/prescriptions", {"state": state})
        assert page.context["page"].rows == [one_of_each[state]]
        assert str(state.label) in page.content.decode()


@pytest.mark.parametrize("write", [str, str.lower, lambda number: number.replace("-", "")])
def test_doctors_list_finds_by_number_however_it_is_written(
    connection: Connection, doctor: User, write: Callable[[str], str]
) -> None:
    issue(connection)
    wanted = issue(connection)

    page = page_client(doctor).get("/prescriptions", {"q": write(wanted.number)})

    assert page.context["page"].rows == [wanted]


@pytest.mark.parametrize("text", ["mona", "adel mona", "MONA A"])
def test_doctors_list_finds_by_name(connection: Connection, doctor: User, text: str) -> None:
    issued = issue(connection)
    browser = page_client(doctor)

    assert browser.get("/prescriptions", {"q": text}).context["page"].rows == [issued]
    assert browser.get("/prescriptions", {"q": "Sara"}).context["page"].rows == []


def test_search_shows_nobody_elses(
    connection: Connection, other_doctor: User, patient: User
) -> None:
    issued = issue(connection)

    assert (
        page_client(other_doctor).get("/prescriptions", {"q": issued.number}).context["page"].rows
        == []
    )
    # To a patient there is no search; their list stays what it is.
    assert page_client(patient).get("/prescriptions", {"q": "zzz"}).context["page"].rows == [issued]


@pytest.mark.parametrize("query", ["q=%00", "state=x", "q=" + "x" * 200, "state=%00", "q=%25_"])
def test_hostile_search_is_survived(connection: Connection, doctor: User, query: str) -> None:
    issue(connection)

    assert page_client(doctor).get(f"/prescriptions?{query}").status_code == 200


def test_a_sign_alone_is_the_beginning_of_no_number(connection: Connection, doctor: User) -> None:
    issue(connection)

    page = page_client(doctor).get("/prescriptions?q=-")

    assert page.context["rows"] == []


def test_state_is_said_in_words_and_by_an_icon(connection: Connection, doctor: User) -> None:
    stopped(issue(connection))

    page = page_client(doctor).get("/prescriptions?show=past").content.decode()

    assert "badge--danger" in page
    assert "Stopped" in page


def test_asked_to_stop_shows_in_the_list(connection: Connection, doctor: User) -> None:
    issued = issue(connection)
    claim(issued)
    stopped(issued)

    assert "Stop requested" in page_client(doctor).get("/prescriptions").content.decode()


def test_items_say_what_was_dispensed_and_what_is_left(connection: Connection) -> None:
    issued = issue(connection, items=[replace(AMLODIPINE, refills=2), PARACETAMOL])
    held = claim(issued)
    hand_out(held, (1, 30), (2, 5))
    rows = api_client(connection.doctor).get(f"/api/v1/prescriptions/{issued.pk}").json()["items"]

    first, second = rows
    assert (first["dispensed_quantity"], first["left_quantity"]) == (30, 60)
    assert first["refills_left"] == 1
    assert first["next_fill_from"] == (clinic_date() + dt.timedelta(days=23)).isoformat()
    assert (second["dispensed_quantity"], second["left_quantity"]) == (5, 15)
    assert (second["refills_left"], second["next_fill_from"]) == (0, None)


def test_prescriber_is_told_what_was_dispensed_until_they_part(
    connection: Connection, patient: User
) -> None:
    issued = issue(connection)
    held = claim(issued)
    hand_out(held, (1, 10))
    end_connection(actor=patient, connection_id=connection.pk)
    hand_out(held, (1, 5))

    to_doctor, to_patient = (
        api_client(reader).get(f"/api/v1/prescriptions/{issued.pk}").json()["items"][0]
        for reader in (connection.doctor, patient)
    )

    assert (to_doctor["dispensed_quantity"], to_doctor["left_quantity"]) == (10, 20)
    assert (to_patient["dispensed_quantity"], to_patient["left_quantity"]) == (15, 15)


@pytest.fixture
def completed_after_parting(connection: Connection, patient: User) -> Prescription:
    issued = issue(connection, items=[PARACETAMOL])
    held = claim(issued)
    end_connection(actor=patient, connection_id=connection.pk)
    hand_out(held, (1, PARACETAMOL.quantity))
    return fresh(issued)


def test_who_has_parted_is_not_told_that_it_was_completed_since(
    completed_after_parting: Prescription, doctor: User, patient: User
) -> None:
    path = f"/api/v1/prescriptions/{completed_after_parting.pk}"

    to_doctor, to_patient = (api_client(who).get(path).json() for who in (doctor, patient))

    assert (to_doctor["state"], to_patient["state"]) == ("active", "completed")


def test_who_has_parted_has_no_code_that_tells_how_it_stands(
    completed_after_parting: Prescription, doctor: User, patient: User
) -> None:
    path = f"/api/v1/prescriptions/{completed_after_parting.pk}"

    to_doctor, to_patient = (
        api_client(who).get(path).json()["verification_url"] for who in (doctor, patient)
    )

    assert (to_doctor, to_patient) == (None, completed_after_parting.verification_url)


@pytest.mark.parametrize("query", ["", "?state=active"])
def test_list_of_who_has_parted_keeps_it_where_it_was(
    completed_after_parting: Prescription, doctor: User, query: str
) -> None:
    shown = page_client(doctor).get(f"/prescriptions{query}").content.decode()
    elsewhere = [
        page_client(doctor).get(f"/prescriptions?{where}").content.decode()
        for where in ("show=past", "state=completed")
    ]

    path = f"/prescriptions/{completed_after_parting.pk}"
    assert path in shown
    assert not any(path in page for page in elsewhere)


def test_what_was_completed_before_they_parted_stays_completed(
    connection: Connection, doctor: User, patient: User
) -> None:
    issued = issue(connection, items=[PARACETAMOL])
    hand_out(claim(issued), (1, PARACETAMOL.quantity))
    end_connection(actor=patient, connection_id=connection.pk)

    told = api_client(doctor).get(f"/api/v1/prescriptions/{issued.pk}").json()

    assert told["state"] == "completed"


@pytest.mark.parametrize("count", [1, 4])
def test_lists_take_the_same_queries_however_long(
    connection: Connection, count: int, patient: User, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        issue(connection)
    app = api_client(patient)

    # session, prescriptions with people, items, dispenses
    with django_assert_num_queries(4):
        app.get("/api/v1/prescriptions/my-prescriptions")
