"""What an administrator decides about doctors."""

from __future__ import annotations

import pytest

from accounts.models import Status, StatusChange, User
from accounts.policies import (
    AccountNotActive,
    NotWaitingForApproval,
    can_review_doctor,
    check_can_review_doctor,
)
from accounts.services.review import approve_doctor, reject_doctor
from accounts.tests.factories import AdminFactory, DoctorFactory
from common.errors import DomainError, InvalidInput, NotAllowed
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import EmailDelivery, Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def applicant(db: None) -> User:
    return DoctorFactory(status=Status.PENDING_APPROVAL)


def test_approved_doctor_is_active(admin: User, applicant: User) -> None:
    approve_doctor(actor=admin, doctor_id=applicant.pk)

    applicant.refresh_from_db()
    assert applicant.status == Status.ACTIVE


def test_decision_records_who_when_and_why(admin: User, applicant: User) -> None:
    reject_doctor(actor=admin, doctor_id=applicant.pk, reason="The scan cannot be read.")

    change = StatusChange.objects.get(user=applicant)
    assert (change.from_status, change.to_status) == ("PENDING_APPROVAL", "REJECTED")
    assert (change.changed_by, change.reason) == (admin, "The scan cannot be read.")


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_applicant_is_told_in_the_list_and_by_mail(
    admin: User, applicant: User, decision: str
) -> None:
    if decision == "approve":
        approve_doctor(actor=admin, doctor_id=applicant.pk)
    else:
        reject_doctor(actor=admin, doctor_id=applicant.pk, reason="Expired licence.")

    told = Notification.objects.get(recipient=applicant)
    assert EmailDelivery.objects.get(notification=told).to_address == applicant.email
    assert "Expired" not in told.title


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_rejection_needs_a_reason(admin: User, applicant: User, reason: str) -> None:
    with pytest.raises(InvalidInput):
        reject_doctor(actor=admin, doctor_id=applicant.pk, reason=reason)

    applicant.refresh_from_db()
    assert applicant.status == Status.PENDING_APPROVAL


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.PENDING_APPROVAL}))
def test_only_those_who_wait_can_be_decided_on(admin: User, status: Status) -> None:
    doctor = DoctorFactory(status=status)

    with pytest.raises(NotWaitingForApproval):
        approve_doctor(actor=admin, doctor_id=doctor.pk)


def test_patient_cannot_be_approved(admin: User, patient: User) -> None:
    with pytest.raises(User.DoesNotExist):
        approve_doctor(actor=admin, doctor_id=patient.pk)


def test_nobody_but_an_active_administrator_decides(
    applicant: User, patient: User, doctor: User, stranger: User, other_doctor: User
) -> None:
    for actor in (patient, doctor, stranger, other_doctor, applicant):
        with pytest.raises(NotAllowed):
            approve_doctor(actor=actor, doctor_id=applicant.pk)

    applicant.refresh_from_db()
    assert applicant.status == Status.PENDING_APPROVAL


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.INACTIVE])
def test_administrator_out_of_office_does_not_decide(applicant: User, status: Status) -> None:
    with pytest.raises(AccountNotActive):
        approve_doctor(actor=AdminFactory(status=status), doctor_id=applicant.pk)


def test_can_and_check_can_agree(
    admin: User, applicant: User, patient: User, doctor: User, other_doctor: User
) -> None:
    actors = [admin, AdminFactory(status=Status.SUSPENDED), patient, doctor, applicant]

    for actor in actors:
        for subject in (applicant, other_doctor):
            try:
                check_can_review_doctor(actor, subject)
                is_allowed = True
            except DomainError:
                is_allowed = False
            assert can_review_doctor(actor, subject) is is_allowed


@pytest.mark.django_db(transaction=True)
def test_two_decisions_at_once_are_one(admin: User, applicant: User) -> None:
    racers = race(
        lambda: approve_doctor(actor=admin, doctor_id=applicant.pk),
        lambda: reject_doctor(actor=admin, doctor_id=applicant.pk, reason="No."),
        gate=StatusChange,
    )

    assert errors(racers) == ["", "NotWaitingForApproval"]
    assert StatusChange.objects.count() == Notification.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_both_decisions_would_be_taken(admin: User, applicant: User) -> None:
    """What the lock is for."""
    race(
        lambda: approve_doctor(actor=admin, doctor_id=applicant.pk),
        lambda: reject_doctor(actor=admin, doctor_id=applicant.pk, reason="No."),
        gate=StatusChange,
    )

    assert StatusChange.objects.count() == 2
