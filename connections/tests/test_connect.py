"""Joining a patient with a doctor."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Status, User
from accounts.policies import AccountNotActive
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from audit.models import AccessEvent
from common.errors import NotAllowed
from connections.models import Connection
from connections.policies import AlreadyConnected, DoctorNotAvailable
from connections.services.connections import connect
from connections.tests.factories import ConnectionFactory, RequestFactory
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification

pytestmark = pytest.mark.django_db


def join(patient: User, doctor: User) -> Connection:
    return connect(actor=patient, doctor_id=doctor.pk, origin=Connection.Origin.QR)


def test_they_are_connected(patient: User, doctor: User) -> None:
    made = join(patient, doctor)

    assert (made.patient, made.doctor, made.status, made.origin) == (
        patient,
        doctor,
        "ACTIVE",
        "QR",
    )


def test_both_are_told_the_name_of_the_other(patient: User, doctor: User) -> None:
    join(patient, doctor)

    told = {row.recipient: row.title for row in Notification.objects.select_related("recipient")}
    assert told == {
        patient: "You are now connected with Dr Karim Nabil.",
        doctor: "You are now connected with Mona Adel.",
    }


def test_it_is_logged_as_the_patients_act(patient: User, doctor: User) -> None:
    made = join(patient, doctor)

    event = AccessEvent.objects.get()
    assert (event.action, event.actor_id, event.patient_id, event.object_id) == (
        "CONNECTED",
        patient.pk,
        patient.pk,
        made.pk,
    )


def test_request_that_waits_is_answered_by_the_patient_who_connects(
    patient: User, doctor: User
) -> None:
    waiting = RequestFactory(patient=patient, doctor=doctor)

    made = join(patient, doctor)

    waiting.refresh_from_db()
    event = AccessEvent.objects.get(action="REQUEST_ACCEPTED")
    assert (waiting.status, waiting.decided_by) == ("ACCEPTED", patient)
    assert waiting.decided_at == made.connected_at
    assert (event.actor_id, event.basis) == (patient.pk, "SELF")


def test_connection_that_ended_is_taken_up_again(patient: User, doctor: User) -> None:
    old = ConnectionFactory(patient=patient, doctor=doctor, ended=True, origin="REQUEST")

    again = join(patient, doctor)

    assert again.pk == old.pk
    assert (again.status, again.ended_at, again.ended_by, again.origin) == (
        "ACTIVE",
        None,
        None,
        "QR",
    )


def test_connected_people_cannot_connect_again(connection: Connection) -> None:
    with pytest.raises(AlreadyConnected):
        join(connection.patient, connection.doctor)


def test_blocked_pair_stays_apart(patient: User, doctor: User) -> None:
    ConnectionFactory(patient=patient, doctor=doctor, blocked_by_doctor=True)

    with pytest.raises(DoctorNotAvailable):
        join(patient, doctor)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACTIVE}))
def test_doctor_must_be_in_good_standing(patient: User, status: Status) -> None:
    with pytest.raises(DoctorNotAvailable):
        join(patient, DoctorFactory(status=status))


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACTIVE}))
def test_patient_must_be_in_good_standing(doctor: User, status: Status) -> None:
    with pytest.raises(AccountNotActive):
        join(PatientFactory(status=status), doctor)


def test_standing_is_read_afresh(patient: User, doctor: User) -> None:
    User.objects.filter(pk=patient.pk).update(status=Status.SUSPENDED)

    with pytest.raises(AccountNotActive):
        join(patient, doctor)


@pytest.mark.parametrize("other", [PatientFactory, AdminFactory])
def test_one_connects_with_doctors_only(patient: User, other: type) -> None:
    with pytest.raises(DoctorNotAvailable):
        join(patient, other())


@pytest.mark.parametrize("actor", [DoctorFactory, AdminFactory])
def test_only_patients_connect(doctor: User, actor: type) -> None:
    with pytest.raises(NotAllowed):
        join(actor(), doctor)


def test_database_keeps_one_row_for_a_pair(connection: Connection) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ConnectionFactory(patient=connection.patient, doctor=connection.doctor)


def test_database_refuses_a_connection_with_oneself(doctor: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ConnectionFactory(patient=doctor, doctor=doctor)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "INACTIVE"},
        {"status": "BLOCKED"},
        {"ended_at": timezone.now()},
    ],
    ids=["ended without when", "blocked without when", "active with an end"],
)
def test_database_holds_status_and_end_together(connection: Connection, change: dict) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(**change)


@pytest.mark.django_db(transaction=True)
def test_connecting_twice_at_once_makes_one_connection(patient: User, doctor: User) -> None:
    racers = race(lambda: join(patient, doctor), lambda: join(patient, doctor), gate=Connection)

    assert errors(racers) == ["", "AlreadyConnected"]
    assert Connection.objects.count() == 1
    assert Notification.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_loser_would_crash(patient: User, doctor: User) -> None:
    """What the lock on the patient is for; the constraint alone answers with an error 500."""
    racers = race(lambda: join(patient, doctor), lambda: join(patient, doctor), gate=Connection)

    assert sorted(errors(racers)) == ["", "IntegrityError"]


@pytest.mark.django_db(transaction=True)
def test_reconnecting_twice_at_once_is_one_reconnection(patient: User, doctor: User) -> None:
    ConnectionFactory(patient=patient, doctor=doctor, ended=True)

    racers = race(lambda: join(patient, doctor), lambda: join(patient, doctor), gate=Connection)

    assert errors(racers) == ["", "AlreadyConnected"]
    assert AccessEvent.objects.count() == 1
