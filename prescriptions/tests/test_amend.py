"""A doctor replaces a prescription by another version."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError
from django.http import Http404

from accounts.models import Status, User
from audit.models import AccessEvent
from common.clock import clinic_date
from common.errors import InvalidInput
from common.ids import uuid7
from connections.models import Connection
from connections.policies import ConnectionEnded
from connections.services.connections import end_connection
from medisync.tests.client import api_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification
from prescriptions.models import Prescription, StopReason
from prescriptions.policies import HeldByPharmacy, NotActive, PartlyDispensed
from prescriptions.services.amending import NothingChanged, amend_prescription
from prescriptions.services.claiming import return_prescription
from prescriptions.services.issuing import AlreadyIssued, Item, Order
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.dispensing import claim, hand_out
from prescriptions.tests.factories import AMLODIPINE, PARACETAMOL, issue

pytestmark = pytest.mark.django_db
TWICE = replace(AMLODIPINE, frequency=2, quantity=60)


def amend(prescription: Prescription, **changes: Any) -> Prescription:
    ordered = {"items": [TWICE, PARACETAMOL], "diagnosis": "Hypertension"} | changes
    return amend_prescription(
        actor=prescription.doctor, prescription_id=prescription.pk, order=Order(**ordered)
    )


def put(prescription: Prescription, actor: User, **changes: Any):
    body = {"items": [{"medicine": "Ramipril", "frequency": 1, "quantity": 30}]} | changes
    return api_client(actor).put(f"/api/v1/prescriptions/{prescription.pk}", body)


def test_next_version_takes_the_place_of_the_one_before(connection: Connection) -> None:
    old = issue(connection)

    new = amend(old)

    old.refresh_from_db()
    assert (new.number, new.version, new.replaces) == (old.number, 2, old)
    assert (old.status, new.status) == ("superseded", "active")
    assert old.status_by == connection.doctor
    assert [item.frequency for item in new.items.all()] == [2, None]


def test_version_before_stays_as_it_was_issued(connection: Connection) -> None:
    old = issue(connection)
    said = old.computed_content_hash(list(old.items.all()))

    amend(old)

    old = Prescription.objects.get(pk=old.pk)
    assert old.computed_content_hash(list(old.items.all())) == said == old.content_hash


def test_next_version_has_a_paper_of_its_own(connection: Connection) -> None:
    old = issue(connection)

    new = amend(old)

    assert new.verification_code != old.verification_code
    assert new.content_hash != old.content_hash


def test_patient_is_told_and_the_act_is_logged(connection: Connection) -> None:
    new = amend(issue(connection))

    told = Notification.objects.get(kind="PRESCRIPTION_AMENDED")
    event = AccessEvent.objects.get(action=AccessEvent.Action.AMENDED)
    assert (told.recipient, told.url) == (connection.patient, f"/prescriptions/{new.pk}")
    assert (event.actor_id, event.object_id) == (connection.doctor_id, new.pk)


def test_version_it_replaces_conflicts_with_nothing(connection: Connection) -> None:
    """The same medicine stands in both, and is not ordered twice."""
    new = amend(issue(connection))

    assert new.safety["warnings"] == []


def test_same_content_is_no_version(connection: Connection) -> None:
    old = issue(connection)

    with pytest.raises(NothingChanged):
        amend(old, items=[AMLODIPINE, PARACETAMOL], valid_until=old.valid_until)

    assert Prescription.objects.count() == 1


def test_another_last_day_is_a_change(connection: Connection) -> None:
    old = issue(connection)
    sooner = old.valid_until - dt.timedelta(days=1)

    new = amend(old, items=[AMLODIPINE, PARACETAMOL], valid_until=sooner)

    assert new.valid_until == sooner


@pytest.mark.parametrize(
    "items", [[], [Item(medicine="Ramipril", quantity=1)]], ids=["no items", "no frequency"]
)
def test_order_that_is_not_whole_is_refused(connection: Connection, items: list[Item]) -> None:
    old = issue(connection)

    with pytest.raises(InvalidInput):
        amend(old, items=items)

    assert Prescription.objects.get().status == "active"


def test_one_that_was_replaced_cannot_be_changed_again(connection: Connection) -> None:
    old = issue(connection)
    amend(old)

    with pytest.raises(NotActive):
        amend(old, diagnosis="Other")


def test_one_that_was_stopped_cannot_be_changed(connection: Connection) -> None:
    old = issue(connection)
    stop_prescription(actor=connection.doctor, prescription_id=old.pk, reason=StopReason.NOT_NEEDED)

    with pytest.raises(NotActive):
        amend(old)


def test_one_whose_days_are_over_cannot_be_changed(connection: Connection) -> None:
    old = issue(connection)

    with time_machine.travel(old.issued_at + dt.timedelta(days=40)), pytest.raises(NotActive):
        amend(old)


def test_one_that_a_pharmacy_holds_cannot_be_changed(connection: Connection) -> None:
    old = issue(connection)
    held = claim(old)

    with pytest.raises(HeldByPharmacy):
        amend(old)

    return_prescription(secret=held.secret)
    assert amend(old).version == 2


def test_hold_whose_time_is_over_keeps_nobody_from_changing(connection: Connection) -> None:
    old = issue(connection)
    held = claim(old).claim

    with time_machine.travel(held.expires_at + dt.timedelta(seconds=1)):
        new = amend(old)

    held.refresh_from_db()
    assert (new.version, held.end_reason) == (2, "EXPIRED")


def test_one_that_was_dispensed_from_cannot_be_changed(connection: Connection) -> None:
    old = issue(connection)
    held = claim(old)
    hand_out(held, (1, 10))
    return_prescription(secret=held.secret)

    with pytest.raises(PartlyDispensed):
        amend(old)


def test_nothing_is_changed_after_parting(connection: Connection) -> None:
    old = issue(connection)
    end_connection(actor=connection.patient, connection_id=connection.pk)

    with pytest.raises(ConnectionEnded):
        amend(old)


@pytest.mark.parametrize("who", ["patient", "stranger", "other_doctor", "admin"])
def test_only_who_issued_it_changes_it(
    who: str, connection: Connection, request: pytest.FixtureRequest
) -> None:
    old = issue(connection)

    with pytest.raises(Http404):
        amend_prescription(
            actor=request.getfixturevalue(who),
            prescription_id=old.pk,
            order=Order(items=[TWICE]),
        )


def test_doctor_out_of_standing_changes_nothing(connection: Connection) -> None:
    old = issue(connection)
    User.objects.filter(pk=connection.doctor_id).update(status=Status.SUSPENDED)

    assert put(old, connection.doctor).status_code == 401
    assert Prescription.objects.count() == 1


def test_form_sent_again_finds_the_version_it_made(connection: Connection) -> None:
    old, client_id = issue(connection), uuid7()
    new = amend(old, client_id=client_id)

    assert amend(old, client_id=client_id) == new
    with pytest.raises(AlreadyIssued):
        amend(old, client_id=client_id, diagnosis="Other")


def test_form_that_issued_one_does_not_amend_another(connection: Connection) -> None:
    client_id = uuid7()
    old = issue(connection, client_id=client_id)

    with pytest.raises(AlreadyIssued):
        amend(old, client_id=client_id, items=[AMLODIPINE, PARACETAMOL])


def test_answer_is_the_new_version(connection: Connection) -> None:
    old = issue(connection)

    answer = put(old, connection.doctor, diagnosis="Other")

    row = answer.json()
    assert answer.status_code == 200
    assert (row["version"], row["replaces"], row["state"]) == (2, str(old.pk), "active")
    assert (row["replaced_by"], row["pin"]) == (None, None)


def test_versions_are_listed_newest_first_and_the_look_is_logged_once(
    connection: Connection, patient: User, django_assert_num_queries: Any
) -> None:
    old = issue(connection)
    new = amend(old)
    newest = amend(new, diagnosis="Other")
    reads = AccessEvent.objects.filter(action=AccessEvent.Action.READ)
    app = api_client(connection.doctor)

    # session, transactions (4), the one asked for and its items, log (3), page, items, dispenses
    with django_assert_num_queries(13):
        rows = app.get(f"/api/v1/prescriptions/{old.pk}/versions").json()["results"]

    assert [row["id"] for row in rows] == [str(one.pk) for one in (newest, new, old)]
    assert [row["state"] for row in rows] == ["active", "superseded", "superseded"]
    assert [row["replaced_by"] for row in rows] == [None, str(newest.pk), str(new.pk)]
    assert reads.count() == 1


def test_versions_have_no_filter(connection: Connection) -> None:
    old = issue(connection)
    amend(old)
    app = api_client(connection.doctor)

    answer = app.get(f"/api/v1/prescriptions/{old.pk}/versions?is_active=true&limit=5")

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["attr"], error["code"]) == (400, "is_active", "unknown_field")


@pytest.mark.parametrize("who", ["stranger", "other_doctor", "admin"])
def test_nobody_else_sees_the_versions(
    who: str, connection: Connection, request: pytest.FixtureRequest
) -> None:
    old = issue(connection)

    answer = api_client(request.getfixturevalue(who)).get(
        f"/api/v1/prescriptions/{old.pk}/versions"
    )

    assert answer.status_code == 404


def test_lists_show_the_last_version_only(connection: Connection, patient: User) -> None:
    new = amend(issue(connection))
    app = api_client(patient)

    for path in ("my-prescriptions", f"connections/{connection.pk}", f"patients/{patient.pk}"):
        rows = app.get(f"/api/v1/prescriptions/{path}").json()["results"]
        assert [row["id"] for row in rows] == [str(new.pk)]


# --- At once ------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_one_is_made(connection: Connection) -> None:
    old = issue(connection)

    racers = race(
        lambda: amend(old, diagnosis="One"),
        lambda: amend(old, diagnosis="Other"),
        gate=Prescription,
    )

    assert sorted(errors(racers)) == ["", "NotActive"]
    assert Prescription.objects.current().count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_second_change_breaks_on_the_database(
    connection: Connection,
) -> None:
    """What the lock is for: a clear refusal. Two versions in force there are in no case."""
    old = issue(connection)

    racers = race(
        lambda: amend(old, diagnosis="One"),
        lambda: amend(old, diagnosis="Other"),
        gate=Prescription,
    )

    failed = [racer.error for racer in racers if racer.error]
    assert not any(isinstance(error, NotActive) for error in failed)
    assert len(failed) == 1
    assert Prescription.objects.current().count() == 1


@pytest.mark.django_db(transaction=True)
def test_change_and_stop_at_once_happen_one_after_the_other(connection: Connection) -> None:
    old = issue(connection)

    racers = race(
        lambda: amend(old, diagnosis="Other"),
        lambda: stop_prescription(
            actor=connection.doctor, prescription_id=old.pk, reason=StopReason.NOT_NEEDED
        ),
        gate=Prescription,
    )

    assert errors(racers) == ["", "NotActive"]
    assert Prescription.objects.get(pk=old.pk).status == "superseded"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_change_and_stop_would_break_on_each_other(
    connection: Connection,
) -> None:
    old = issue(connection)

    racers = race(
        lambda: amend(old, diagnosis="Other"),
        lambda: stop_prescription(
            actor=connection.doctor, prescription_id=old.pk, reason=StopReason.NOT_NEEDED
        ),
        gate=Prescription,
    )

    assert "NotActive" not in errors(racers)
    assert any(errors(racers))


def test_database_gives_a_version_one_successor(connection: Connection) -> None:
    old = issue(connection)
    amend(old)
    again = Prescription.objects.get(pk=old.pk)
    again.pk, again.version, again.replaces = uuid7(), 3, old
    again.verification_digest = "x"

    with pytest.raises(IntegrityError):
        again.save(force_insert=True)


def test_last_day_follows_the_refills(connection: Connection) -> None:
    item = replace(AMLODIPINE, refills=2)

    new = amend(issue(connection), items=[item])

    assert new.valid_until == clinic_date() + dt.timedelta(days=30 + 2 * 30)
