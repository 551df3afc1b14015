"""Handing out what was prescribed, item by item."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.models import User
from audit.models import AccessEvent
from common.errors import InvalidInput
from common.ids import uuid7
from connections.models import Connection
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification
from notifications.wording import Kind
from prescriptions.models import DispenseClaim, MedicationDispense, Prescription
from prescriptions.services.claiming import HeldClaim, return_prescription
from prescriptions.services.claims import ClaimNotHeld
from prescriptions.services.dispensing import AlreadyDispensed, Line, TooMuch, dispense
from prescriptions.services.issuing import Item
from prescriptions.tests.dispensing import claim, fresh, hand_out
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
CONCURRENT = pytest.mark.django_db(transaction=True)


@pytest.fixture
def prescription(connection: Connection) -> Prescription:
    """Thirty of the first, twenty of the second."""
    return issue(connection)


@pytest.fixture
def held(prescription: Prescription) -> HeldClaim:
    return claim(prescription)


def handed() -> list[tuple[int, int]]:
    """Position and quantity of what counts."""
    counted = MedicationDispense.objects.counted().order_by("pk")
    return list(counted.values_list("item__position", "quantity"))


def test_part_is_handed_out_and_the_rest_later(held: HeldClaim) -> None:
    hand_out(held, (1, 10))
    hand_out(held, (1, 20), (2, 5))

    assert handed() == [(1, 10), (1, 20), (2, 5)]


def test_patient_is_told_and_it_is_logged(held: HeldClaim, patient: User) -> None:
    hand_out(held, (1, 10))

    event = AccessEvent.objects.get(action=AccessEvent.Action.DISPENSED)
    assert (event.actor_id, event.object_id) == (None, held.claim.pk)
    assert Notification.objects.filter(recipient=patient, kind=Kind.PRESCRIPTION_DISPENSED).exists()


def test_all_of_it_completes_it_and_ends_the_claim(
    held: HeldClaim, prescription: Prescription
) -> None:
    ended = hand_out(held, (1, 30), (2, 20))

    assert fresh(prescription).status == "completed"
    assert ended.end_reason == "COMPLETED"


def test_with_a_refill_to_come_it_is_not_completed(connection: Connection) -> None:
    item = Item(medicine="Amlodipine", frequency=1, duration_days=30, quantity=30, refills=1)
    prescription = issue(connection, items=[item])

    hand_out(claim(prescription), (1, 30))

    assert fresh(prescription).status == "active"


def test_refill_is_handed_out_when_it_is_due(connection: Connection) -> None:
    item = Item(medicine="Amlodipine", frequency=1, duration_days=28, quantity=28, refills=1)
    prescription = issue(connection, items=[item])
    hand_out(claim(prescription), (1, 28))

    with time_machine.travel(timezone.now() + dt.timedelta(days=21, hours=1)):
        hand_out(claim(prescription, "Delta Pharmacy"), (1, 28))

    assert handed() == [(1, 28), (1, 28)]
    assert fresh(prescription).status == "completed"


@pytest.mark.parametrize("quantity", [31, 1000, 32768, 10**12])
def test_more_than_is_due_is_refused(held: HeldClaim, quantity: int) -> None:
    with pytest.raises(TooMuch) as refused:
        hand_out(held, (2, 1), (1, quantity))

    assert refused.value.attr == "lines.1.quantity"
    assert handed() == []


def test_refill_before_its_day_is_too_much(connection: Connection) -> None:
    item = Item(medicine="Amlodipine", frequency=1, duration_days=30, quantity=30, refills=1)
    held = claim(issue(connection, items=[item]))

    hand_out(held, (1, 30))

    with pytest.raises(TooMuch):
        hand_out(held, (1, 1))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [Line(1, 0)],
        [Line(1, -1)],
        [Line(0, 1)],
        [Line(3, 1)],
        [Line(-1, 1)],
        [Line(10**12, 1)],
        [Line(1, 1), Line(1, 2)],
    ],
    ids=["none", "zero", "negative", "zeroth", "third", "minus first", "huge", "twice"],
)
def test_lines_that_cannot_be_are_refused(held: HeldClaim, lines: list[Line]) -> None:
    with pytest.raises(InvalidInput):
        dispense(secret=held.secret, lines=lines, client_id=uuid7())

    assert handed() == []


def test_form_sent_again_hands_out_nothing_more(held: HeldClaim) -> None:
    client_id, lines = uuid7(), [Line(1, 10), Line(2, 20)]

    for _ in range(2):
        dispense(secret=held.secret, lines=lines, client_id=client_id)

    assert handed() == [(1, 10), (2, 20)]
    assert Notification.objects.filter(kind=Kind.PRESCRIPTION_DISPENSED).count() == 1


def test_last_form_sent_again_finds_it_completed(held: HeldClaim) -> None:
    client_id, lines = uuid7(), [Line(1, 30), Line(2, 20)]

    first, again = (
        dispense(secret=held.secret, lines=lines, client_id=client_id) for _ in range(2)
    )

    assert (first.end_reason, again.end_reason) == ("COMPLETED", "COMPLETED")


def test_same_form_does_not_hand_out_something_else(held: HeldClaim) -> None:
    client_id = uuid7()
    dispense(secret=held.secret, lines=[Line(1, 10)], client_id=client_id)

    with pytest.raises(AlreadyDispensed):
        dispense(secret=held.secret, lines=[Line(1, 11)], client_id=client_id)


@pytest.mark.parametrize("secret", ["", "x", "AAAAA-AAAAA", "é" * 40, "\x00"])
def test_unknown_secret_dispenses_nothing(held: HeldClaim, secret: str) -> None:
    with pytest.raises(ClaimNotHeld):
        dispense(secret=secret, lines=[Line(1, 1)], client_id=uuid7())


def test_who_gave_it_back_dispenses_no_more(held: HeldClaim) -> None:
    return_prescription(secret=held.secret)

    with pytest.raises(ClaimNotHeld):
        hand_out(held, (1, 1))


def test_database_lets_no_more_be_handed_out_than_was_ordered(
    held: HeldClaim, prescription: Prescription
) -> None:
    hand_out(held, (1, 25))

    with pytest.raises(DatabaseError, match="No more is dispensed"), transaction.atomic():
        MedicationDispense.objects.create(
            claim=held.claim,
            item=prescription.items.get(position=1),
            quantity=6,
            dispensed_at=timezone.now(),
            client_id=uuid7(),
        )


def test_what_was_handed_out_is_not_rewritten(held: HeldClaim) -> None:
    hand_out(held, (1, 10))

    with pytest.raises(DatabaseError), transaction.atomic():
        MedicationDispense.objects.update(quantity=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        MedicationDispense.objects.all().delete()


@CONCURRENT
def test_two_who_dispense_by_one_secret_at_once(connection: Connection) -> None:
    held = claim(issue(connection))

    racers = race(
        lambda: hand_out(held, (1, 20)), lambda: hand_out(held, (1, 20)), gate=MedicationDispense
    )

    assert errors(racers) == ["", "TooMuch"]
    assert handed() == [(1, 20)]


@CONCURRENT
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_trigger_still_refuses_the_second(connection: Connection) -> None:
    held = claim(issue(connection))

    racers = race(
        lambda: hand_out(held, (1, 20)), lambda: hand_out(held, (1, 20)), gate=MedicationDispense
    )

    assert sorted(errors(racers)) == ["", "ProgrammingError"]
    assert handed() == [(1, 20)]


@CONCURRENT
def test_same_form_sent_twice_at_once_dispenses_once(connection: Connection) -> None:
    held, client_id = claim(issue(connection)), uuid7()
    sending = [lambda: dispense(secret=held.secret, lines=[Line(1, 10)], client_id=client_id)] * 2

    racers = race(*sending, gate=MedicationDispense)

    assert errors(racers) == ["", ""]
    assert handed() == [(1, 10)]


@CONCURRENT
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_second_would_fall_over_the_constraint(connection: Connection) -> None:
    held, client_id = claim(issue(connection)), uuid7()
    sending = [lambda: dispense(secret=held.secret, lines=[Line(1, 10)], client_id=client_id)] * 2

    racers = race(*sending, gate=MedicationDispense)

    assert sorted(errors(racers)) == ["", "IntegrityError"]


@CONCURRENT
def test_return_against_dispense(connection: Connection) -> None:
    """Given back first, nothing is handed out by it any more."""
    held = claim(issue(connection))

    racers = race(
        lambda: return_prescription(secret=held.secret),
        lambda: hand_out(held, (1, 20)),
        gate=DispenseClaim,
    )

    assert errors(racers) == ["", "ClaimNotHeld"]
    assert handed() == []
