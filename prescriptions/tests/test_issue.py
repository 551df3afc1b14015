"""A doctor issues a prescription."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pgtrigger
import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.http import Http404
from django.utils import timezone

from accounts.models import AllergyIntolerance, Status, User
from audit.models import AccessEvent
from common.clock import clinic_date, clinic_midnight
from common.errors import DomainError, InvalidInput
from common.ids import uuid7
from connections.models import Connection, DataCategory
from connections.policies import ConnectionEnded
from connections.services.connections import end_connection
from connections.services.grants import Sharing, set_grant
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification
from prescriptions.models import Prescription, PrescriptionItem
from prescriptions.services import issuing
from prescriptions.services.checking import Override, SafetyWarnings
from prescriptions.services.issuing import (
    AlreadyIssued,
    Item,
    Order,
    issue_prescription,
)
from prescriptions.services.refills import RequestAnswered, decline_refill, request_refill
from prescriptions.tests.factories import AMLODIPINE, PARACETAMOL, issue

pytestmark = pytest.mark.django_db


def order(**changes: Any) -> dict[str, Any]:
    item = {"medicine": "Amlodipine", "frequency": 1, "quantity": 30}
    return {"items": [item]} | changes


def post(connection: Connection, body: dict[str, Any], actor: User | None = None):
    return api_client(actor or connection.doctor).post(
        f"/api/v1/prescriptions/connections/{connection.pk}", body
    )


def test_it_is_written_with_its_items_in_order(connection: Connection) -> None:
    prescription = issue(connection)

    assert [item.medicine for item in prescription.items.all()] == ["Amlodipine", "Paracetamol"]
    assert [item.position for item in prescription.items.all()] == [1, 2]
    assert (prescription.patient, prescription.doctor, prescription.version) == (
        connection.patient,
        connection.doctor,
        1,
    )


def test_who_prescribed_is_copied_in(connection: Connection) -> None:
    prescription = issue(connection)
    User.objects.filter(pk=connection.doctor_id).update(last_name="Other")
    profile = connection.doctor.doctor_profile

    prescription = Prescription.objects.get()
    assert prescription.prescriber_name == "Karim Nabil"
    assert prescription.prescriber_specialization_en == profile.specialization.name_en
    assert prescription.prescriber_specialization_ar == profile.specialization.name_ar
    assert prescription.prescriber_licence_number == profile.licence_number


def test_it_is_good_for_thirty_days_of_the_clinics_calendar(connection: Connection) -> None:
    # 23:30 in UTC is the next day in Cairo.
    with time_machine.travel(dt.datetime(2026, 1, 31, 23, 30, tzinfo=dt.UTC)):
        prescription = issue(connection)

    assert prescription.valid_until == dt.date(2026, 3, 3)
    assert prescription.issued_on == dt.date(2026, 2, 1)


@pytest.mark.parametrize("days", [0, 365])
def test_last_day_may_be_today_or_a_year_from_now(connection: Connection, days: int) -> None:
    last_day = clinic_date() + dt.timedelta(days=days)

    assert issue(connection, valid_until=last_day).valid_until == last_day


@pytest.mark.parametrize("days", [-1, 366])
def test_last_day_may_not_be_past_or_far_ahead(connection: Connection, days: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        issue(connection, valid_until=clinic_date() + dt.timedelta(days=days))

    assert refused.value.attr == "valid_until"
    assert not Prescription.objects.exists()


def test_it_is_good_through_its_last_day(connection: Connection) -> None:
    prescription = issue(connection)

    assert prescription.state(prescription.valid_until) == "active"
    assert prescription.state(prescription.valid_until + dt.timedelta(days=1)) == "expired"


def test_patient_is_told_and_the_act_is_logged(connection: Connection) -> None:
    prescription = issue(connection)

    told = Notification.objects.get()
    event = AccessEvent.objects.get(action=AccessEvent.Action.ISSUED)
    assert (told.recipient, told.kind) == (connection.patient, "PRESCRIPTION_ISSUED")
    assert told.url == f"/prescriptions/{prescription.pk}"
    assert (event.action, event.actor_id, event.object_id) == (
        "ISSUED",
        connection.doctor_id,
        prescription.pk,
    )


def test_notification_names_no_medicine(connection: Connection) -> None:
    issue(connection)

    said = Notification.objects.values().get()
    assert "Amlodipine" not in str(said)
    assert "Hypertension" not in str(said)


def test_answer_is_the_prescription(connection: Connection) -> None:
    answer = post(connection, order(diagnosis="Hypertension"))

    row = answer.json()
    assert answer.status_code == 201
    assert row["state"] == "active"
    assert row["items"][0]["dosage"] == "Take by mouth once a day"
    assert row["id"] == str(Prescription.objects.get().pk)


@pytest.mark.parametrize("count", [0, 31])
def test_it_has_between_one_and_thirty_items(connection: Connection, count: int) -> None:
    item = order()["items"][0]

    answer = post(connection, order(items=[item] * count))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"].startswith("items")
    with pytest.raises(InvalidInput):
        issue(connection, items=[AMLODIPINE] * count)


def test_thirty_items_are_written(connection: Connection) -> None:
    assert issue(connection, items=[AMLODIPINE] * 30).items.count() == 30


@pytest.mark.parametrize(
    "change",
    [
        {"frequency": 0},
        {"frequency": 25},
        {"frequency": -1},
        {"frequency": 1.5},
        {"frequency": None},
        {"frequency_unit": "MONTH"},
        {"duration_days": 0},
        {"duration_days": 366},
        {"quantity": 0},
        {"quantity": 1001},
        {"quantity": 10**30},
        {"refills": -1},
        {"refills": 13},
        {"route": "INTRATHECAL"},
        {"medicine": ""},
        {"medicine": "   "},
        {"medicine": "x" * 201},
        {"strength": "x" * 81},
        {"instructions": "x" * 501},
        {"instructions": "\x00"},
        # Turned around, cut in lines, and with nothing to be seen.
        {"medicine": "Vit\u202eC"},
        {"medicine": "Vit\nC"},
        {"medicine": "\u200b\u2060"},
        {"strength": "\u202egm 005"},
        {"instructions": "Take\u2028two"},
        {"as_needed": "perhaps"},
        {"dose": 1},
    ],
    ids=str,
)
def test_item_that_cannot_be_right_is_refused_by_name(
    connection: Connection, change: dict[str, Any]
) -> None:
    item = order()["items"][0] | change

    answer = post(connection, order(items=[order()["items"][0], item]))

    assert answer.status_code == 400
    assert [error["attr"] for error in answer.json()["errors"]] == [f"items.1.{next(iter(change))}"]
    assert not Prescription.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"frequency": 25},
        {"frequency": 0},
        {"duration_days": 366},
        {"quantity": 0},
        {"quantity": 1001},
        {"refills": 13},
    ],
    ids=str,
)
def test_database_refuses_it_too(connection: Connection, change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        issue(connection, items=[replace(AMLODIPINE, **change)])

    assert not Prescription.objects.exists()


@pytest.mark.parametrize("item", [{"medicine": "x"}, {"medicine": "", "frequency": 1}], ids=str)
def test_database_refuses_an_item_without_frequency_or_name(
    connection: Connection, item: dict[str, Any]
) -> None:
    prescription = issue(connection)

    with (
        pgtrigger.ignore("prescriptions.PrescriptionItem:none_added"),
        pytest.raises(IntegrityError),
        transaction.atomic(),
    ):
        PrescriptionItem.objects.create(prescription=prescription, position=9, quantity=1, **item)


def test_as_needed_may_go_with_or_without_a_frequency(connection: Connection) -> None:
    with_ceiling = replace(PARACETAMOL, frequency=4)

    assert issue(connection, items=[PARACETAMOL, with_ceiling]).items.count() == 2


def test_arabic_and_long_text_is_kept_as_it_stands(connection: Connection) -> None:
    notes = "بعد الأكل\n— twice: ½ 💊" * 20

    issue(connection, notes=notes)

    assert Prescription.objects.get().notes == notes


def test_only_the_connections_doctor_issues(
    connection: Connection, stranger: User, other_doctor: User, admin: User
) -> None:
    answers = {
        actor: post(connection, order(), actor).status_code
        for actor in (connection.patient, stranger, other_doctor, admin)
    }

    assert answers == {connection.patient: 403, stranger: 404, other_doctor: 404, admin: 404}
    assert not Prescription.objects.exists()


def test_nothing_is_issued_on_an_ended_connection(connection: Connection) -> None:
    end_connection(actor=connection.patient, connection_id=connection.pk)

    answer = post(connection, order())

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "connection_ended")


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACTIVE}))
def test_nothing_is_issued_to_a_patient_out_of_standing(
    connection: Connection, status: Status
) -> None:
    User.objects.filter(pk=connection.patient_id).update(status=status)

    with pytest.raises(ConnectionEnded):
        issue(connection)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACTIVE}))
def test_nothing_is_issued_by_a_doctor_out_of_standing(
    connection: Connection, status: Status
) -> None:
    connection.doctor.status = status

    with pytest.raises(DomainError):
        issue(connection)


def test_unknown_connection_is_not_found(doctor: User) -> None:
    with pytest.raises(Http404):
        issue_prescription(actor=doctor, connection_id=uuid7(), order=Order(items=[AMLODIPINE]))


def test_number_already_given_out_is_drawn_again(connection: Connection, monkeypatch) -> None:
    taken = issue(connection).number
    numbers = iter([taken, taken, "7K3-M9Q-2TC"])
    field = Prescription._meta.get_field("number")
    monkeypatch.setattr(field, "_get_default", lambda: next(numbers))
    monkeypatch.setattr(issuing, "new_number", lambda: next(numbers))

    second = issue(connection)

    second.refresh_from_db()
    assert second.number == "7K3-M9Q-2TC"
    assert second.is_intact()


def test_what_fails_leaves_nothing(connection: Connection) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        issue(connection, items=[AMLODIPINE, replace(AMLODIPINE, quantity=0)])

    assert not Prescription.objects.exists()
    assert not Notification.objects.exists()
    assert not AccessEvent.objects.exists()


def test_form_sent_again_finds_the_first(connection: Connection) -> None:
    client_id = uuid7()
    first = issue(connection, client_id=client_id)

    again = issue(connection, client_id=client_id)

    assert again == first
    assert Prescription.objects.count() == Notification.objects.count() == 1


def test_form_sent_again_after_midnight_finds_the_first(connection: Connection) -> None:
    client_id = uuid7()
    midnight = clinic_midnight(clinic_date() + dt.timedelta(days=1))
    with time_machine.travel(midnight - dt.timedelta(seconds=5), tick=False) as clock:
        first = issue(connection, client_id=client_id)
        clock.shift(10)

        again = issue(connection, client_id=client_id)

    assert again == first
    assert again.valid_until == first.issued_on + dt.timedelta(days=30)


@pytest.mark.parametrize(
    "change", [{"diagnosis": "Other"}, {"notes": "x"}, {"items": [AMLODIPINE]}], ids=str
)
def test_form_sent_again_with_other_content_is_refused(
    connection: Connection, change: dict[str, Any]
) -> None:
    client_id = uuid7()
    issue(connection, client_id=client_id)

    with pytest.raises(AlreadyIssued):
        issue(connection, client_id=client_id, **change)


def test_verification_code_is_encrypted_in_its_column(connection: Connection) -> None:
    prescription = issue(connection)

    with database.cursor() as cursor:
        cursor.execute("SELECT prescriptions_prescription::text FROM prescriptions_prescription")
        row = cursor.fetchone()[0]

    assert prescription.verification_code not in row
    assert Prescription.objects.get().verification_code == prescription.verification_code


@pytest.mark.django_db(transaction=True)
def test_prescription_and_end_at_once_happen_one_after_the_other(
    connection: Connection,
) -> None:
    issuing, ending = race(
        lambda: issue(connection),
        lambda: end_connection(actor=connection.patient, connection_id=connection.pk),
        gate=Prescription,
    )

    assert errors([issuing, ending]) == ["", ""]
    assert Connection.objects.get().ended_at > Prescription.objects.get().created_at
    assert _end_was_logged_after_the_issue()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_it_would_be_issued_after_the_end(connection: Connection) -> None:
    """What the lock on the connection is for."""
    race(
        lambda: issue(connection),
        lambda: end_connection(actor=connection.patient, connection_id=connection.pk),
        gate=Prescription,
    )

    assert not _end_was_logged_after_the_issue()


@pytest.mark.django_db(transaction=True)
def test_end_that_comes_first_stops_the_prescription(connection: Connection) -> None:
    ending, issuing = race(
        lambda: end_connection(actor=connection.patient, connection_id=connection.pk),
        lambda: issue(connection),
        gate=Connection,
    )

    assert errors([ending, issuing]) == ["", "ConnectionEnded"]
    assert not Prescription.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_form_sent_twice_at_once_issues_one(connection: Connection) -> None:
    client_id = uuid7()

    racers = race(
        lambda: issue(connection, client_id=client_id),
        lambda: issue(connection, client_id=client_id),
        gate=Prescription,
    )

    assert errors(racers) == ["", ""]
    assert racers[0].value == racers[1].value
    assert Prescription.objects.count() == Notification.objects.count() == 1


def _end_was_logged_after_the_issue() -> bool:
    """By the log, whose ids follow the time at which each act was done."""
    acts = AccessEvent.objects.exclude(action=AccessEvent.Action.CHECKED)
    return list(acts.order_by("id").values_list("action", flat=True)) == [
        "ISSUED",
        "CONNECTION_ENDED",
    ]


def test_item_defaults_are_by_mouth_and_per_day() -> None:
    item = Item(medicine="x", quantity=1, frequency=1)

    assert (item.route, item.frequency_unit, item.refills) == ("ORAL", "DAY", 0)


def test_issued_now_means_now(connection: Connection) -> None:
    prescription = issue(connection)

    assert timezone.now() - prescription.issued_at < dt.timedelta(seconds=10)


@pytest.mark.parametrize(
    ("days", "refills", "good_for"),
    [(30, 0, 30), (30, 2, 90), (7, 3, 51), (None, 1, 60), (90, 12, 365)],
)
def test_last_day_follows_the_refills(
    connection: Connection, days: int | None, refills: int, good_for: int
) -> None:
    item = replace(AMLODIPINE, duration_days=days, refills=refills)

    issued = issue(connection, items=[PARACETAMOL, item])

    assert issued.valid_until == clinic_date() + dt.timedelta(days=good_for)


def test_controlled_medicine_is_marked_when_it_is_ordered(connection: Connection) -> None:
    morphine = replace(AMLODIPINE, medicine="Morphine", strength="10 mg")

    issued = issue(connection, items=[AMLODIPINE, morphine])

    assert [item.is_controlled for item in issued.items.all()] == [False, True]
    assert issued.has_controlled_item


# --- What the safety check finds -----------------------------------------------


@pytest.fixture
def allergic(connection: Connection) -> Connection:
    AllergyIntolerance.objects.create(
        patient=connection.patient, substance="Penicillin", criticality="HIGH"
    )
    return connection


def amoxicillin(**changes: Any) -> dict[str, Any]:
    item = {"medicine": "Amoxicillin", "frequency": 3, "quantity": 21}
    return {"items": [item]} | changes


def test_conflict_comes_back_and_nothing_is_issued(allergic: Connection) -> None:
    answer = post(allergic, amoxicillin())

    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "urn:medisync:problem:safety-warnings")
    assert problem["errors"][0]["attr"] == "override_warnings"
    (warning,) = problem["warnings"]
    assert (warning["kind"], warning["position"], warning["medicine"]) == (
        "ALLERGY",
        1,
        "Amoxicillin",
    )
    assert warning["sentence"]
    assert problem["unchecked"] == []
    assert not Prescription.objects.exists()


def test_conflict_with_what_is_not_shared_is_not_named(allergic: Connection) -> None:
    (warning,) = post(allergic, amoxicillin()).json()["warnings"]

    assert (warning["against"], warning["source"], warning["source_date"]) == (None, None, None)
    assert "Penicillin" not in str(warning)


def test_conflict_with_what_is_shared_is_named_with_its_source(allergic: Connection) -> None:
    set_grant(
        actor=allergic.patient,
        connection_id=allergic.pk,
        sharing=Sharing(categories=[DataCategory.ALLERGIES]),
    )

    (warning,) = post(allergic, amoxicillin()).json()["warnings"]

    assert warning["against"] == "Penicillin"
    assert warning["source"]
    assert warning["source_date"]


def test_conflict_is_told_in_the_callers_language(connection: Connection) -> None:
    both = [
        {"medicine": name, "frequency": 1, "quantity": 30} for name in ("Ibuprofen", "Naproxen")
    ]

    answer = api_client(connection.doctor).post(
        f"/api/v1/prescriptions/connections/{connection.pk}",
        {"items": both},
        headers={"Accept-Language": "ar"},
    )

    arabic = answer.json()["warnings"][0]["sentence"]

    assert re.search("[\u0600-\u06ff]", arabic)


def test_patient_sees_that_the_record_was_looked_into_though_nothing_was_issued(
    allergic: Connection,
) -> None:
    post(allergic, amoxicillin())

    assert [event.action for event in AccessEvent.objects.all()] == ["CHECKED"]


def test_refused_reason_leaves_its_trace_too(allergic: Connection) -> None:
    wrong = [{"warning": "0" * 16, "reason": "It is known."}]

    assert post(allergic, amoxicillin(override_warnings=wrong)).status_code == 400
    assert [event.action for event in AccessEvent.objects.all()] == ["CHECKED"]


def test_conflict_with_a_reason_is_issued_and_kept(allergic: Connection) -> None:
    (warning,) = post(allergic, amoxicillin()).json()["warnings"]
    override = {"warning": warning["key"], "reason": "Tolerated twice."}

    answer = post(allergic, amoxicillin(override_warnings=[override]))

    assert answer.status_code == 201
    (kept,) = answer.json()["safety"]["warnings"]
    assert (kept["key"], kept["reason"]) == (warning["key"], "Tolerated twice.")
    assert Prescription.objects.get().is_intact()


@pytest.mark.parametrize("reason", ["", "  ", "x", "x" * 301], ids=["none", "blank", "x", "long"])
def test_reason_says_something(allergic: Connection, reason: str) -> None:
    (warning,) = post(allergic, amoxicillin()).json()["warnings"]
    override = {"warning": warning["key"], "reason": reason}

    assert post(allergic, amoxicillin(override_warnings=[override])).status_code == 400
    assert not Prescription.objects.exists()


def test_each_conflict_needs_its_reason(allergic: Connection) -> None:
    """Two penicillins for one who is allergic to them, and each a double of the other."""
    both = [AMLODIPINE, replace(AMLODIPINE, medicine="Amoxicillin"), AMLODIPINE]
    with pytest.raises(SafetyWarnings) as found:
        issue_prescription(
            actor=allergic.doctor, connection_id=allergic.pk, order=Order(items=both)
        )
    first, *others = found.value.report.warnings
    one = [Override(first.key, "It is known.")]

    assert others
    with pytest.raises(SafetyWarnings):
        issue_prescription(
            actor=allergic.doctor,
            connection_id=allergic.pk,
            order=Order(items=both, overrides=one),
        )


def test_unknown_name_is_issued_and_kept_as_not_checked(connection: Connection) -> None:
    item = {"medicine": "Amoxicilin forte", "frequency": 3, "quantity": 21}

    (kept,) = post(connection, {"items": [item]}).json()["safety"]["unchecked"]

    assert (kept["name"], kept["suggestion"]) == ("Amoxicilin forte", "amoxicillin")
    assert kept["sentence"]


def test_check_alone_issues_nothing_and_is_logged(allergic: Connection) -> None:
    answer = api_client(allergic.doctor).post(
        f"/api/v1/prescriptions/connections/{allergic.pk}/check",
        {"items": [{"medicine": "Amoxicillin"}]},
    )

    assert answer.status_code == 200
    assert [warning["kind"] for warning in answer.json()["warnings"]] == ["ALLERGY"]
    assert not Prescription.objects.exists()
    assert [event.action for event in AccessEvent.objects.all()] == ["CHECKED"]


def test_checks_are_limited(allergic: Connection) -> None:
    app = api_client(allergic.doctor)
    path = f"/api/v1/prescriptions/connections/{allergic.pk}/check"

    with time_machine.travel(timezone.now(), tick=False):
        answers = [app.post(path, {"items": [{"medicine": "x"}]}).status_code for _ in range(31)]

    assert answers == [200] * 30 + [429]


def test_only_who_may_issue_may_check(
    connection: Connection, stranger: User, other_doctor: User
) -> None:
    path = f"/api/v1/prescriptions/connections/{connection.pk}/check"
    body = {"items": [{"medicine": "Amoxicillin"}]}

    answers = [
        api_client(actor).post(path, body).status_code
        for actor in (connection.patient, stranger, other_doctor)
    ]

    assert answers == [403, 404, 404]
    assert not AccessEvent.objects.exists()


# --- In answer to a patient's request ---------------------------------------------


def test_request_is_answered_by_what_is_issued(connection: Connection, patient: User) -> None:
    asked = request_refill(actor=patient, prescription_id=issue(connection).pk)
    item = {"medicine": "Ramipril", "frequency": 1, "quantity": 30}

    answer = post(connection, {"items": [item], "refill_request_id": str(asked.pk)})

    asked.refresh_from_db()
    assert (asked.status, str(asked.answered_with_id)) == ("ISSUED", answer.json()["id"])


def test_request_is_answered_once(connection: Connection, patient: User) -> None:
    asked = request_refill(actor=patient, prescription_id=issue(connection).pk)
    decline_refill(actor=connection.doctor, request_id=asked.pk, reason="Come and see me.")

    with pytest.raises(RequestAnswered):
        issue_prescription(
            actor=connection.doctor,
            connection_id=connection.pk,
            order=Order(items=[replace(AMLODIPINE, medicine="Ramipril")]),
            refill_request_id=asked.pk,
        )


def test_request_of_another_pair_is_not_found(connection: Connection) -> None:
    elsewhere = ConnectionFactory(doctor=connection.doctor)
    asked = request_refill(actor=elsewhere.patient, prescription_id=issue(elsewhere).pk)

    assert post(connection, order(refill_request_id=str(asked.pk))).status_code == 404
    assert not Prescription.objects.filter(connection=connection).exists()
