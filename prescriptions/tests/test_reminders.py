"""Patients are told that a medicine runs out: three days before, once, by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.db import connection as database
from django.utils import timezone

from accounts.models import User
from connections.models import Connection
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification
from prescriptions.fills import course_end
from prescriptions.models import CourseReminder, Prescription, PrescriptionItem, StopReason
from prescriptions.services.amending import amend_prescription
from prescriptions.services.claiming import return_prescription
from prescriptions.services.dispensing import withdraw_dispense
from prescriptions.services.issuing import Item, Order
from prescriptions.services.reminders import remind_of_course_ends
from prescriptions.services.stopping import stop_prescription
from prescriptions.services.taken import medicines_taken
from prescriptions.tests.dispensing import claim, hand_out
from prescriptions.tests.factories import AMLODIPINE, PARACETAMOL, issue

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
# Noon in Cairo.
ISSUED = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
COURSE = 10
ZZAPOL = Item(medicine="Zzapol", quantity=10, refills=1, frequency=1, duration_days=COURSE)


@pytest.fixture
def issued(connection: Connection) -> Prescription:
    with time_machine.travel(ISSUED, tick=False):
        return issue(connection, items=[ZZAPOL])


def run(at: dt.datetime) -> int:
    with time_machine.travel(at, tick=False):
        return remind_of_course_ends(timezone.now())


def told(patient: User) -> list[Notification]:
    return list(Notification.objects.filter(recipient=patient, kind="COURSE_ENDING"))


def days(count: int) -> dt.datetime:
    return ISSUED + count * DAY


@pytest.mark.parametrize(("day", "count"), [(6, 0), (7, 1), (8, 1), (10, 1), (11, 0)])
def test_told_within_three_days_of_the_end(
    day: int, count: int, issued: Prescription, patient: User
) -> None:
    assert run(days(day)) == count
    assert len(told(patient)) == count


def test_told_once(issued: Prescription, patient: User) -> None:
    for day in (7, 7, 8, 9, 10):
        run(days(day))

    (notification,) = told(patient)
    assert notification.url == f"/prescriptions/{issued.pk}"
    assert notification.about == issued.doctor
    assert notification.title.endswith("runs out on March 12, 2026.")
    assert CourseReminder.objects.get().ends_on == dt.date(2026, 3, 12)


def test_date_is_in_the_patients_language(issued: Prescription, patient: User) -> None:
    User.objects.filter(pk=patient.pk).update(language="ar")

    run(days(7))

    assert "مارس" in told(patient)[0].context["date"]


def test_course_counts_from_the_first_dispense(issued: Prescription, patient: User) -> None:
    with time_machine.travel(days(4), tick=False):
        hand_out(claim(issued), (1, 4))

    assert run(days(7)) == 0
    assert run(days(11)) == 1
    assert CourseReminder.objects.get().ends_on == (days(4) + COURSE * DAY).date()


def test_refill_fetched_early_lasts_from_the_end_of_the_fill_before(
    issued: Prescription, patient: User
) -> None:
    with time_machine.travel(ISSUED, tick=False):
        held = claim(issued)
        hand_out(held, (1, 10))
        return_prescription(secret=held.secret)
    first = run(days(8))
    with time_machine.travel(days(9), tick=False):
        hand_out(claim(issued), (1, 10))

    assert (first, run(days(10)), run(days(16)), run(days(17))) == (1, 0, 0, 1)
    assert len(told(patient)) == 2
    assert CourseReminder.objects.latest("id").ends_on == days(2 * COURSE).date()


def test_withdrawn_dispense_does_not_count(issued: Prescription) -> None:
    with time_machine.travel(days(4), tick=False):
        held = claim(issued)
        hand_out(held, (1, 4))
        withdraw_dispense(secret=held.secret, dispense_id=held.claim.dispenses.get().pk)

    assert run(days(7)) == 1


def test_nothing_is_told_of_what_expired_and_was_never_fetched(
    connection: Connection, patient: User
) -> None:
    with time_machine.travel(ISSUED, tick=False):
        expired = issue(connection, items=[replace(ZZAPOL, refills=0, duration_days=40)])

    assert expired.valid_until < days(38).date()
    assert run(days(38)) == 0
    assert medicines_taken(patient, days(38).date()) == []


def test_without_a_duration_nothing_ends(connection: Connection) -> None:
    with time_machine.travel(ISSUED, tick=False):
        issue(connection, items=[PARACETAMOL])

    assert sum(run(days(day)) for day in range(0, 40, 3)) == 0


def test_nothing_is_told_of_what_was_stopped(issued: Prescription, doctor: User) -> None:
    with time_machine.travel(days(1), tick=False):
        stop_prescription(actor=doctor, prescription_id=issued.pk, reason=StopReason.NOT_NEEDED)

    assert run(days(8)) == 0


def test_of_what_was_replaced_the_new_version_counts(issued: Prescription, doctor: User) -> None:
    with time_machine.travel(days(2), tick=False):
        longer = replace(ZZAPOL, duration_days=20)
        amend_prescription(actor=doctor, prescription_id=issued.pk, order=Order(items=[longer]))

    assert run(days(8)) == 0
    assert run(days(20)) == 1


@pytest.mark.parametrize(("hour", "count"), [(0, 0), (6, 0), (7, 1), (18, 1), (20, 0)])
def test_told_by_day_where_the_patient_is(
    hour: int, count: int, issued: Prescription, patient: User
) -> None:
    User.objects.filter(pk=patient.pk).update(time_zone="Africa/Cairo")

    assert run(days(8).replace(hour=hour)) == count


def test_one_that_fails_holds_up_no_other(
    issued: Prescription, connection: Connection, patient: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(ISSUED, tick=False):
        other = issue(connection, items=[replace(ZZAPOL, medicine="Yyonil")])
    monkeypatch.setattr(
        "prescriptions.services.reminders.course_end", failing_for(issued, course_end)
    )

    assert run(days(8)) == 1
    assert told(patient)[0].url == f"/prescriptions/{other.pk}"


def failing_for(prescription: Prescription, ask: Any) -> Any:
    def asked(item: PrescriptionItem, *args: Any, **kwargs: Any) -> Any:
        if item.prescription_id == prescription.pk:
            raise RuntimeError
        return ask(item, *args, **kwargs)

    return asked


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_tell_once(issued: Prescription, patient: User) -> None:
    now = days(8)

    racers = race(*[lambda: remind_of_course_ends(now)] * 2, gate=CourseReminder)

    assert errors(racers) == ["", ""]
    assert sorted(racer.value for racer in racers) == [0, 1]
    assert len(told(patient)) == 1


@pytest.fixture
def no_constraint(transactional_db: None) -> Iterator[None]:
    """Lets one end of a course be told twice."""
    (constraint,) = CourseReminder._meta.constraints
    with database.schema_editor() as editor:
        editor.remove_constraint(CourseReminder, constraint)
    yield
    CourseReminder.objects.all().delete()
    with database.schema_editor() as editor:
        editor.add_constraint(CourseReminder, constraint)


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_and_the_constraint_two_runs_would_tell_twice(
    issued: Prescription,
    patient: User,
    no_constraint: None,
    no_row_locks: None,  # noqa: F811
) -> None:
    now = days(8)

    racers = race(*[lambda: remind_of_course_ends(now)] * 2, gate=CourseReminder)

    assert [racer.value for racer in racers] == [1, 1]
    assert len(told(patient)) == 2


def test_course_of_an_item_by_its_dispenses(connection: Connection) -> None:
    with time_machine.travel(ISSUED, tick=False):
        item = issue(connection, items=[AMLODIPINE]).items.get()

    assert course_end(item, [], issued_on=dt.date(2026, 3, 2)) == dt.date(2026, 4, 1)
