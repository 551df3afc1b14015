"""Nobody has two visits at a time, by whatever path the second one comes."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import User
from accounts.tests.factories import PatientFactory
from appointments.models import Appointment
from appointments.tests.factories import NINE, AppointmentFactory, half_hour
from medisync.tests.races import errors, race

pytestmark = pytest.mark.django_db
OVERLAPPING = [(0, 30), (15, 30), (-15, 30), (5, 10), (-15, 60)]


@pytest.mark.parametrize(("start", "lasts"), OVERLAPPING)
def test_doctor_has_one_visit_at_a_time(doctor: User, start: int, lasts: int) -> None:
    AppointmentFactory(doctor=doctor)

    with pytest.raises(IntegrityError, match="appointment_doctor_free"), transaction.atomic():
        AppointmentFactory(doctor=doctor, period=half_hour(start, lasts))


@pytest.mark.parametrize(("start", "lasts"), OVERLAPPING)
def test_patient_has_one_visit_at_a_time(patient: User, start: int, lasts: int) -> None:
    AppointmentFactory(patient=patient)

    with pytest.raises(IntegrityError, match="appointment_patient_free"), transaction.atomic():
        AppointmentFactory(patient=patient, period=half_hour(start, lasts))


@pytest.mark.parametrize("start", [-30, 30])
def test_visits_may_follow_each_other(patient: User, doctor: User, start: int) -> None:
    AppointmentFactory(patient=patient, doctor=doctor)

    AppointmentFactory(patient=patient, doctor=doctor, period=half_hour(start))

    assert Appointment.objects.count() == 2


@pytest.mark.parametrize("status", ["CANCELLED", "COMPLETED", "NO_SHOW"])
def test_visit_that_is_over_frees_its_time(doctor: User, status: str) -> None:
    AppointmentFactory(doctor=doctor, status=status)

    AppointmentFactory(doctor=doctor)

    assert Appointment.objects.live().count() == 1


@pytest.mark.parametrize("status", ["PENDING", "CONFIRMED"])
def test_visit_that_is_not_confirmed_holds_its_time_too(doctor: User, status: str) -> None:
    AppointmentFactory(doctor=doctor, status=status)

    with pytest.raises(IntegrityError), transaction.atomic():
        AppointmentFactory(doctor=doctor)


def test_cancelled_visit_cannot_come_back_into_a_taken_time(doctor: User) -> None:
    cancelled = AppointmentFactory(doctor=doctor, status="CANCELLED")
    AppointmentFactory(doctor=doctor)

    with pytest.raises(IntegrityError), transaction.atomic():
        Appointment.objects.filter(pk=cancelled.pk).update(status="CONFIRMED")


def test_visit_moved_onto_itself_does_not_block_itself(doctor: User) -> None:
    visit = AppointmentFactory(doctor=doctor)

    Appointment.objects.filter(pk=visit.pk).update(period=half_hour(15))

    visit.refresh_from_db()
    assert visit.period == half_hour(15)


def test_different_people_may_meet_at_the_same_time() -> None:
    AppointmentFactory()

    AppointmentFactory()

    assert Appointment.objects.count() == 2


@pytest.mark.parametrize(
    "period",
    [
        DateTimeTZRange(NINE, None),
        DateTimeTZRange(None, NINE),
        DateTimeTZRange(NINE, NINE),
        DateTimeTZRange(empty=True),
    ],
    ids=["without end", "without beginning", "of no length", "empty"],
)
def test_visit_takes_time(period: DateTimeTZRange) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AppointmentFactory(period=period)


def test_visit_is_of_two(doctor: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AppointmentFactory(doctor=doctor, patient=doctor)


def test_only_the_two_who_meet_see_it(
    patient: User, doctor: User, stranger: User, other_doctor: User, admin: User
) -> None:
    AppointmentFactory(patient=patient, doctor=doctor)

    seen = {
        user: Appointment.objects.visible_to(user).count()
        for user in (patient, doctor, stranger, other_doctor, admin)
    }

    assert seen == {patient: 1, doctor: 1, stranger: 0, other_doctor: 0, admin: 0}
    assert not Appointment.objects.visible_to(AnonymousUser()).exists()


@pytest.mark.django_db(transaction=True)
def test_two_bookings_of_one_time_at_once_are_one(doctor: User) -> None:
    people = [PatientFactory(), PatientFactory()]

    racers = race(
        *(
            lambda patient=patient: AppointmentFactory(patient=patient, doctor=doctor)
            for patient in people
        ),
        gate=Appointment,
    )

    # Each may wait for the other's row; PostgreSQL then ends one as a deadlock instead.
    assert sorted(errors(racers)) in (["", "IntegrityError"], ["", "OperationalError"])
    assert Appointment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_looking_before_booking_would_not_help(doctor: User) -> None:
    """What the constraint is for: both find the time free."""
    people = [PatientFactory(), PatientFactory()]

    def look_then_book(patient: User) -> None:
        assert not Appointment.objects.filter(doctor=doctor, period__overlap=half_hour()).exists()
        # A status that the constraint does not count stands for a table without it.
        AppointmentFactory(patient=patient, doctor=doctor, status="NO_SHOW")

    racers = race(
        *(lambda patient=patient: look_then_book(patient) for patient in people),
        gate=Appointment,
    )

    assert errors(racers) == ["", ""]
    assert Appointment.objects.count() == 2
