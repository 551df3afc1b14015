"""A doctor stops a prescription."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.http import Http404

from accounts.models import Status, User
from audit.models import AccessEvent
from common.clock import clinic_date
from common.errors import InvalidInput
from connections.models import Connection
from connections.services.connections import end_connection
from medisync.tests.client import api_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification
from prescriptions.models import DispenseClaim, Prescription, StatusChange, StopReason
from prescriptions.policies import NotActive, StopRequested
from prescriptions.services.amending import amend_prescription
from prescriptions.services.claiming import return_prescription
from prescriptions.services.claims import expire_claims
from prescriptions.services.dispensing import withdraw_dispense
from prescriptions.services.issuing import Order
from prescriptions.services.stopping import stop_prescription
from prescriptions.services.taken import items_taken
from prescriptions.services.timeline import What, history_of, timeline
from prescriptions.tests.dispensing import claim, fresh, hand_out
from prescriptions.tests.factories import AMLODIPINE, issue

pytestmark = pytest.mark.django_db
ENDINGS = {What.STOP_REQUESTED, What.STOPPED, What.ENTERED_IN_ERROR}


def stop(
    prescription: Prescription, reason: StopReason = StopReason.NOT_NEEDED, note: str = ""
) -> Prescription:
    return stop_prescription(
        actor=prescription.doctor, prescription_id=prescription.pk, reason=reason, note=note
    )


def put(prescription: Prescription, actor: User, **body: Any):
    return api_client(actor).put(f"/api/v1/prescriptions/{prescription.pk}/deactivate", body)


@pytest.mark.parametrize("reason", sorted(set(StopReason) - {StopReason.ENTERED_IN_ERROR}))
def test_it_is_stopped_for_a_coded_reason(connection: Connection, reason: StopReason) -> None:
    issued = issue(connection)

    stop(issued, reason, note="As agreed.")

    issued.refresh_from_db()
    assert (issued.status, issued.status_reason, issued.status_note) == (
        "stopped",
        reason,
        "As agreed.",
    )
    assert issued.status_by == connection.doctor
    assert issued.status_at is not None


def test_what_was_written_by_mistake_is_a_state_of_its_own(connection: Connection) -> None:
    assert stop(issue(connection), StopReason.ENTERED_IN_ERROR).status == "entered-in-error"


@pytest.mark.parametrize("note", ["", "   "])
def test_another_reason_is_said_in_words(connection: Connection, note: str) -> None:
    issued = issue(connection)

    with pytest.raises(InvalidInput) as refused:
        stop(issued, StopReason.OTHER, note=note)

    assert refused.value.attr == "note"
    assert stop(issued, StopReason.OTHER, note="He moved.").status == "stopped"


def test_patient_is_told_and_the_act_is_logged(connection: Connection) -> None:
    issued = stop(issue(connection))

    told = Notification.objects.get(kind="PRESCRIPTION_STOPPED")
    event = AccessEvent.objects.get(action=AccessEvent.Action.STOPPED)
    assert told.recipient == connection.patient
    assert (event.actor_id, event.object_id) == (connection.doctor_id, issued.pk)


def test_it_is_stopped_once(connection: Connection) -> None:
    issued = stop(issue(connection))

    with pytest.raises(NotActive):
        stop(issued)


def test_what_was_handed_out_is_stopped_when_it_is_not_tolerated(connection: Connection) -> None:
    issued = issue(connection)
    held = claim(issued)
    hand_out(held, (1, 30), (2, 20))

    stopped = stop(issued, StopReason.ADVERSE_REACTION, note="A rash.")

    assert (stopped.status, stopped.status_reason) == ("stopped", "ADVERSE_REACTION")
    assert Notification.objects.filter(kind="PRESCRIPTION_STOPPED").exists()
    assert items_taken(connection.patient, clinic_date()) == []


def test_withdrawing_after_that_does_not_reopen_it(connection: Connection) -> None:
    issued = issue(connection)
    held = claim(issued)
    hand_out(held, (1, 30), (2, 20))
    stop(issued, StopReason.ALLERGY)

    withdraw_dispense(secret=held.secret, dispense_id=held.claim.dispenses.latest("pk").pk)

    issued.refresh_from_db()
    assert (issued.status, issued.status_reason) == ("stopped", "ALLERGY")


def test_one_past_its_last_day_is_stopped_for_it_may_be_taken_still(connection: Connection) -> None:
    issued = issue(connection)

    with time_machine.travel(issued.issued_at + dt.timedelta(days=40)):
        assert stop(issued).status == "stopped"


def test_why_it_was_stopped_stays_when_it_is_called_a_mistake(connection: Connection) -> None:
    issued = issue(connection)
    held = claim(issued)
    stop(issued, StopReason.ALLERGY, note="Anaphylaxis on 3 May.")
    return_prescription(secret=held.secret)
    stop(issued, StopReason.ENTERED_IN_ERROR, note="Another patient.")

    events = timeline(history_of(issued, reader=issued.doctor))[::-1]

    told = [(str(event.what), event.detail) for event in events if event.what in ENDINGS]
    assert told == [
        ("STOP_REQUESTED", "Anaphylaxis on 3 May."),
        ("STOPPED", "Anaphylaxis on 3 May."),
        ("ENTERED_IN_ERROR", "Another patient."),
    ]
    assert "Allergy" in next(event.sentence for event in events if event.what == What.STOPPED)


def test_what_was_written_down_of_it_never_changes(connection: Connection) -> None:
    stop(issue(connection), StopReason.ALLERGY, note="A rash.")

    for change in (
        lambda: StatusChange.objects.update(note="None."),
        lambda: StatusChange.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert StatusChange.objects.get().note == "A rash."


def test_mistake_may_be_seen_after_it_was_stopped(connection: Connection) -> None:
    issued = stop(issue(connection))

    assert stop(issued, StopReason.ENTERED_IN_ERROR).status == "entered-in-error"


def test_mistake_may_be_seen_after_it_ran_out(connection: Connection) -> None:
    issued = issue(connection)

    with time_machine.travel(issued.issued_at + dt.timedelta(days=40)):
        assert stop(issued, StopReason.ENTERED_IN_ERROR).status == "entered-in-error"


def test_version_that_was_replaced_is_not_stopped(connection: Connection) -> None:
    old = issue(connection)
    amend_prescription(
        actor=connection.doctor, prescription_id=old.pk, order=Order(items=[AMLODIPINE])
    )

    with pytest.raises(NotActive):
        stop(old, StopReason.ENTERED_IN_ERROR)


def test_it_is_stopped_after_parting_too(connection: Connection) -> None:
    issued = issue(connection)
    end_connection(actor=connection.patient, connection_id=connection.pk)

    assert stop(issued).status == "stopped"


@pytest.mark.parametrize("who", ["patient", "stranger", "other_doctor", "admin"])
def test_only_who_issued_it_stops_it(
    who: str, connection: Connection, request: pytest.FixtureRequest
) -> None:
    issued = issue(connection)

    with pytest.raises(Http404):
        stop_prescription(
            actor=request.getfixturevalue(who),
            prescription_id=issued.pk,
            reason=StopReason.NOT_NEEDED,
        )


def test_doctor_out_of_standing_stops_nothing(connection: Connection) -> None:
    issued = issue(connection)
    User.objects.filter(pk=connection.doctor_id).update(status=Status.SUSPENDED)

    assert put(issued, connection.doctor, reason="NOT_NEEDED").status_code == 401
    assert Prescription.objects.get().status == "active"


# --- While a pharmacy holds it -------------------------------------------------


def test_stopping_what_a_pharmacy_holds_is_asked_for(connection: Connection) -> None:
    issued = issue(connection)
    claim(issued)

    asked = stop(issued)

    assert (asked.status, asked.is_stop_requested) == ("active", True)
    assert asked.status_reason == StopReason.NOT_NEEDED


def test_nothing_more_is_dispensed_once_stopping_is_asked_for(connection: Connection) -> None:
    issued = issue(connection)
    held = claim(issued)
    stop(issued)

    with pytest.raises(StopRequested):
        hand_out(held, (1, 1))


def test_stopping_is_asked_for_once(connection: Connection) -> None:
    issued = issue(connection)
    claim(issued)
    stop(issued)

    with pytest.raises(NotActive, match="asked for already"):
        stop(issued)


def test_stop_that_was_asked_for_is_not_taken_back_whoever_writes(connection: Connection) -> None:
    issued = issue(connection)
    claim(issued)
    stop(issued)

    with pytest.raises(DatabaseError), transaction.atomic():
        Prescription.objects.filter(pk=issued.pk).update(
            stop_requested_at=None, status_reason="", status_note=""
        )

    assert fresh(issued).is_stop_requested


@pytest.mark.parametrize("reason", [StopReason.NOT_NEEDED, StopReason.ENTERED_IN_ERROR])
def test_it_is_stopped_when_the_pharmacy_gives_it_back(
    connection: Connection, reason: StopReason
) -> None:
    issued = issue(connection)
    held = claim(issued)
    stop(issued, reason)

    return_prescription(secret=held.secret)

    issued.refresh_from_db()
    is_mistake = reason == StopReason.ENTERED_IN_ERROR
    assert issued.status == ("entered-in-error" if is_mistake else "stopped")
    assert issued.status_by == connection.doctor


def test_it_is_stopped_when_the_pharmacys_time_is_over(connection: Connection) -> None:
    issued = issue(connection)
    held = claim(issued).claim
    stop(issued)

    expire_claims(held.expires_at + dt.timedelta(seconds=1))

    issued.refresh_from_db()
    assert issued.status == "stopped"


def test_hold_whose_time_is_over_keeps_nobody_from_stopping(connection: Connection) -> None:
    issued = issue(connection)
    held = claim(issued).claim

    with time_machine.travel(held.expires_at + dt.timedelta(seconds=1)):
        assert stop(issued).status == "stopped"


@pytest.mark.django_db(transaction=True)
def test_stop_and_claim_at_once_never_leave_it_claimed_and_stopped(
    connection: Connection,
) -> None:
    issued = issue(connection)

    racers = race(lambda: stop(issued), lambda: claim(issued), gate=Prescription)

    issued.refresh_from_db()
    assert errors(racers) == ["", "NotActive"]
    assert issued.status == "stopped"
    assert not DispenseClaim.objects.standing().exists()


# --- Over REST ------------------------------------------------------------------


def test_answer_says_how_it_stands(connection: Connection) -> None:
    answer = put(issue(connection), connection.doctor, reason="ALLERGY", note="A rash.")

    row = answer.json()
    assert answer.status_code == 200
    assert (row["state"], row["status_reason"], row["status_note"]) == (
        "stopped",
        "ALLERGY",
        "A rash.",
    )
    assert row["stopped_at"]
    assert row["stop_requested_at"] is None


def test_answer_says_that_stopping_is_asked_for(connection: Connection) -> None:
    issued = issue(connection)
    claim(issued)

    row = put(issued, connection.doctor, reason="NOT_NEEDED").json()

    assert (row["state"], row["stopped_at"]) == ("active", None)
    assert row["stop_requested_at"]


@pytest.mark.parametrize(
    "body",
    [{}, {"reason": "BORED"}, {"reason": "ALLERGY", "note": "x" * 301}, {"reason": "OTHER"}],
    ids=["none", "unknown", "long note", "other without note"],
)
def test_what_cannot_be_right_is_refused(connection: Connection, body: dict[str, Any]) -> None:
    issued = issue(connection)

    assert put(issued, connection.doctor, **body).status_code == 400
    assert Prescription.objects.get().status == "active"


def test_stopped_ones_are_among_the_past(connection: Connection, patient: User) -> None:
    stop(issue(connection))
    app = api_client(patient)
    path = "/api/v1/prescriptions/my-prescriptions"

    assert app.get(path, {"is_active": "true"}).json()["results"] == []
    assert len(app.get(path, {"is_active": "false"}).json()["results"]) == 1
