"""What an administrator decides about doctors."""

from __future__ import annotations

import datetime as dt

import pytest
from django.http import Http404

from accounts.models import (
    ApplicationReview,
    Check,
    CorrectionStep,
    DeviceSession,
    RejectReason,
    Role,
    Status,
    StatusChange,
    User,
)
from accounts.policies import (
    AccountNotActive,
    NotClaimed,
    NotWaitingForApproval,
    SecondFactorNeeded,
    can_decide,
    can_review,
)
from accounts.services import review as reviews
from accounts.tests.factories import AdminFactory, DoctorFactory
from accounts.tests.reviewing import approve, claim, next_year, reject, round_of, send_back
from common.clock import clinic_date
from common.errors import InvalidInput, NotAllowed
from common.ids import uuid7
from medisync.tests.client import sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import EmailDelivery, Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def applicant(db: None) -> User:
    return DoctorFactory(status=Status.PENDING_APPROVAL)


@pytest.fixture
def office(admin: User) -> DeviceSession:
    """The administrator, signed in with a second factor."""
    return sign_in(admin)


def status_of(user: User) -> str:
    return User.objects.values_list("status", flat=True).get(pk=user.pk)


def test_approved_doctor_is_active_until_the_licence_ends(
    office: DeviceSession, applicant: User
) -> None:
    approve(office, applicant, licence_expiry_date=dt.date(2099, 5, 1))

    applicant.doctor_profile.refresh_from_db()
    assert status_of(applicant) == Status.ACTIVE
    assert applicant.doctor_profile.licence_expiry_date == dt.date(2099, 5, 1)


def test_decision_records_who_when_and_why(office: DeviceSession, applicant: User) -> None:
    reject(office, applicant, RejectReason.FORGED, note=" The stamp is drawn. ")

    change = StatusChange.objects.get(user=applicant)
    review = ApplicationReview.objects.get()
    assert (change.from_status, change.to_status) == ("PENDING_APPROVAL", "REJECTED")
    assert (change.changed_by, change.reason_code, change.reason) == (
        office.user, "FORGED", "The stamp is drawn.",
    )  # fmt: skip
    assert (review.decision, review.decided_by, review.reason_code) == (
        "REJECTED", office.user, "FORGED",
    )  # fmt: skip
    assert review.decided_at is not None


def test_approval_records_what_was_compared(office: DeviceSession, applicant: User) -> None:
    approve(office, applicant)

    assert ApplicationReview.objects.get().checks == Check.values


def test_returned_application_names_the_step(office: DeviceSession, applicant: User) -> None:
    send_back(office, applicant, CorrectionStep.NAME, "The middle name is missing.")

    change = StatusChange.objects.get(user=applicant)
    assert status_of(applicant) == Status.RETURNED
    assert (change.reason_code, change.reason) == ("NAME", "The middle name is missing.")
    assert ApplicationReview.objects.get().return_step == CorrectionStep.NAME


@pytest.mark.parametrize(
    ("decide", "kind"),
    [(approve, "DOCTOR_APPROVED"), (send_back, "DOCTOR_RETURNED"), (reject, "DOCTOR_REJECTED")],
)
def test_applicant_is_told_in_the_list_and_by_mail(
    office: DeviceSession, applicant: User, decide, kind: str
) -> None:
    decide(office, applicant)

    told = Notification.objects.get(recipient=applicant)
    assert told.kind == kind
    assert EmailDelivery.objects.get(notification=told).to_address == applicant.email
    assert "licence" not in told.title


@pytest.mark.parametrize("checks", [[], Check.values[:-1], [*Check.values, "MORE"]])
def test_approval_needs_everything_compared(
    office: DeviceSession, applicant: User, checks: list[str]
) -> None:
    with pytest.raises(InvalidInput, match="Compare everything"):
        approve(office, applicant, checks=checks)

    assert status_of(applicant) == Status.PENDING_APPROVAL


@pytest.mark.parametrize("days", [-400, -1])
def test_ended_licence_is_not_approved(office: DeviceSession, applicant: User, days: int) -> None:
    with pytest.raises(InvalidInput, match="ended"):
        approve(office, applicant, licence_expiry_date=clinic_date() + dt.timedelta(days=days))

    assert status_of(applicant) == Status.PENDING_APPROVAL


def test_licence_counts_on_its_last_day(office: DeviceSession, applicant: User) -> None:
    approve(office, applicant, licence_expiry_date=clinic_date())

    assert status_of(applicant) == Status.ACTIVE


@pytest.mark.parametrize("note", ["", "   ", "\n", "x" * 2001, "\x00"])
@pytest.mark.parametrize("decide", [send_back, reject])
def test_applicant_must_be_told_why(
    office: DeviceSession, applicant: User, decide, note: str
) -> None:
    with pytest.raises(InvalidInput):
        decide(office, applicant, note=note)

    assert status_of(applicant) == Status.PENDING_APPROVAL


def test_coded_reason_needs_no_note(office: DeviceSession, applicant: User) -> None:
    reject(office, applicant, RejectReason.DUPLICATE, note="")

    assert status_of(applicant) == Status.REJECTED


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.PENDING_APPROVAL}))
def test_only_those_who_wait_can_be_decided_on(
    office: DeviceSession, applicant: User, status: Status
) -> None:
    review = claim(office, applicant)
    User.objects.filter(pk=applicant.pk).update(status=status)

    with pytest.raises(NotWaitingForApproval):
        reviews.reject_doctor(session=office, review_id=review.pk, reason_code=RejectReason.FORGED)


def test_round_is_decided_once(office: DeviceSession, applicant: User) -> None:
    review = claim(office, applicant)
    reject(office, applicant)

    with pytest.raises(NotWaitingForApproval):
        reviews.approve_doctor(
            session=office, review_id=review.pk, checks=Check.values,
            licence_expiry_date=next_year(),
        )  # fmt: skip


def test_nobody_decides_what_they_have_not_claimed(office: DeviceSession, applicant: User) -> None:
    claim(office, applicant)

    with pytest.raises(NotClaimed):
        reviews.reject_doctor(
            session=sign_in(AdminFactory()),
            review_id=round_of(applicant).pk,
            reason_code=RejectReason.FORGED,
        )


def test_unknown_application_is_not_found(office: DeviceSession) -> None:
    for act in (reviews.claim_review, reviews.release_claim):
        with pytest.raises(Http404):
            act(session=office, review_id=uuid7())
    with pytest.raises(Http404):
        reviews.reject_doctor(session=office, review_id=uuid7(), reason_code=RejectReason.FORGED)


def test_nobody_but_an_active_administrator_reviews(
    applicant: User, patient: User, doctor: User
) -> None:
    for actor in (patient, doctor, applicant):
        with pytest.raises(NotAllowed):
            claim(sign_in(actor), applicant)


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.INACTIVE])
def test_administrator_out_of_office_does_not_review(applicant: User, status: Status) -> None:
    with pytest.raises(AccountNotActive):
        claim(sign_in(AdminFactory(status=status)), applicant)


def test_administrator_without_a_second_factor_does_not_review(
    admin: User, applicant: User
) -> None:
    with pytest.raises(SecondFactorNeeded):
        claim(sign_in(admin, factor=""), applicant)


def test_nobody_reviews_their_own_application(applicant: User) -> None:
    """Should somebody ever be an administrator and an applicant."""
    User.objects.filter(pk=applicant.pk).update(role=Role.ADMIN, status=Status.ACTIVE)
    applicant.refresh_from_db()

    with pytest.raises(NotAllowed, match="own application"):
        claim(sign_in(applicant), applicant)


def test_can_and_check_can_agree(office: DeviceSession, applicant: User, patient: User) -> None:
    review = claim(office, applicant)
    other, outsider = sign_in(AdminFactory()), sign_in(patient)
    now = review.claimed_at

    found = [
        (can_review(session, review), can_decide(session, review, now))
        for session in (office, other, outsider)
    ]

    assert found == [(True, True), (True, False), (False, False)]


@pytest.mark.django_db(transaction=True)
def test_two_decisions_at_once_are_one(office: DeviceSession, applicant: User) -> None:
    review_id = claim(office, applicant).pk

    racers = race(*_decisions(office, review_id), gate=StatusChange)

    assert errors(racers) == ["", "NotWaitingForApproval"]
    assert StatusChange.objects.count() == Notification.objects.count() == 1
    assert status_of(applicant) == Status.REJECTED


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_both_decisions_would_be_taken(
    office: DeviceSession, applicant: User
) -> None:
    """What the lock is for."""
    review_id = claim(office, applicant).pk

    race(*_decisions(office, review_id), gate=ApplicationReview)

    assert StatusChange.objects.count() == 2


def _decisions(office: DeviceSession, review_id: object):
    """One administrator, in two windows."""
    return (
        lambda: reviews.reject_doctor(
            session=office, review_id=review_id, reason_code=RejectReason.FORGED
        ),
        lambda: reviews.return_application(
            session=office, review_id=review_id, step=CorrectionStep.NAME, note="No."
        ),
    )
