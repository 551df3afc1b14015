"""Taking back what was handed out a moment ago."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from audit.models import AccessEvent
from common.ids import uuid7
from connections.models import Connection
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification
from notifications.wording import Kind
from prescriptions.models import MedicationDispense, Prescription, StopReason
from prescriptions.services.claiming import HeldClaim, return_prescription
from prescriptions.services.dispensing import (
    AlreadyDispensed,
    Line,
    TooLateToWithdraw,
    dispense,
    withdraw_dispense,
)
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.dispensing import claim, fresh, hand_out
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
CONCURRENT = pytest.mark.django_db(transaction=True)


@pytest.fixture
def prescription(connection: Connection) -> Prescription:
    return issue(connection)


@pytest.fixture
def held(prescription: Prescription) -> HeldClaim:
    return claim(prescription)


def last(held: HeldClaim) -> MedicationDispense:
    return held.claim.dispenses.latest("pk")


def withdraw(held: HeldClaim) -> None:
    withdraw_dispense(secret=held.secret, dispense_id=last(held).pk)


def test_withdrawn_quantity_can_be_handed_out_again(held: HeldClaim) -> None:
    hand_out(held, (1, 30))
    withdraw(held)

    hand_out(held, (1, 30))

    assert MedicationDispense.objects.counted().count() == 1


def test_patient_is_told_and_it_is_logged(held: HeldClaim, patient: User) -> None:
    hand_out(held, (1, 30))
    withdraw(held)

    assert AccessEvent.objects.filter(action=AccessEvent.Action.DISPENSE_WITHDRAWN).count() == 1
    assert Notification.objects.filter(recipient=patient, kind=Kind.DISPENSE_WITHDRAWN).exists()


def test_what_was_completed_is_active_again(held: HeldClaim, prescription: Prescription) -> None:
    hand_out(held, (1, 30), (2, 20))

    withdraw(held)

    assert fresh(prescription).status == "active"
    assert claim(prescription, "Delta Pharmacy")


def test_what_was_called_a_mistake_meanwhile_stays_so(
    held: HeldClaim, prescription: Prescription
) -> None:
    hand_out(held, (1, 30), (2, 20))
    stop_prescription(
        actor=prescription.doctor,
        prescription_id=prescription.pk,
        reason=StopReason.ENTERED_IN_ERROR,
    )

    withdraw(held)

    assert fresh(prescription).status == "entered-in-error"


def test_an_hour_after_it_was_given_back_is_not_too_late(held: HeldClaim) -> None:
    hand_out(held, (1, 30))
    return_prescription(secret=held.secret)

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=59)):
        withdraw(held)

    assert last(held).withdrawn_at is not None


def test_after_an_hour_it_is_too_late(held: HeldClaim) -> None:
    hand_out(held, (1, 30))

    with (
        time_machine.travel(timezone.now() + dt.timedelta(minutes=61)),
        pytest.raises(TooLateToWithdraw),
    ):
        withdraw(held)


def test_twice_does_it_once(held: HeldClaim) -> None:
    hand_out(held, (1, 30))

    withdraw(held)
    withdraw(held)

    assert Notification.objects.filter(kind=Kind.DISPENSE_WITHDRAWN).count() == 1


def test_nobody_withdraws_what_another_handed_out(connection: Connection) -> None:
    mine, theirs = claim(issue(connection)), claim(issue(connection))
    hand_out(theirs, (1, 30))

    with pytest.raises(Http404):
        withdraw_dispense(secret=mine.secret, dispense_id=last(theirs).pk)
    with pytest.raises(Http404):
        withdraw_dispense(secret=mine.secret, dispense_id=uuid7())


def test_withdrawn_is_withdrawn_for_good(held: HeldClaim) -> None:
    hand_out(held, (1, 30))
    withdraw(held)

    with pytest.raises(DatabaseError), transaction.atomic():
        MedicationDispense.objects.update(withdrawn_at=None)


@CONCURRENT
def test_withdraw_against_dispense(connection: Connection) -> None:
    """The dispense after it sees what was taken back."""
    held = claim(issue(connection))
    hand_out(held, (1, 30))

    racers = race(lambda: withdraw(held), lambda: hand_out(held, (1, 30)), gate=MedicationDispense)

    assert errors(racers) == ["", ""]
    assert [one.quantity for one in MedicationDispense.objects.counted()] == [30]


@CONCURRENT
def test_dispense_that_completes_it_against_withdraw(connection: Connection) -> None:
    """Never completed with something missing."""
    prescription = issue(connection)
    held = claim(prescription)
    hand_out(held, (1, 30))
    first = last(held).pk

    racers = race(
        lambda: hand_out(held, (2, 20)),
        lambda: withdraw_dispense(secret=held.secret, dispense_id=first),
        gate=Prescription,
    )

    assert errors(racers) == ["", ""]
    assert fresh(prescription).status == "active"


@CONCURRENT
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_it_would_be_completed_with_something_missing(
    connection: Connection,
) -> None:
    prescription = issue(connection)
    held = claim(prescription)
    hand_out(held, (1, 30))
    first = last(held).pk

    race(
        lambda: hand_out(held, (2, 20)),
        lambda: withdraw_dispense(secret=held.secret, dispense_id=first),
        gate=Prescription,
    )

    counted = MedicationDispense.objects.counted().filter(claim=held.claim)
    assert fresh(prescription).status == "completed"
    assert sum(one.quantity for one in counted) < 50


def test_form_whose_dispense_was_withdrawn_is_not_answered_as_done(held: HeldClaim) -> None:
    lines, client_id = [Line(1, 2)], uuid7()
    dispense(secret=held.secret, lines=lines, client_id=client_id)
    withdraw(held)

    with pytest.raises(AlreadyDispensed):
        dispense(secret=held.secret, lines=lines, client_id=client_id)
