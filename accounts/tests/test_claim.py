"""An application is one administrator's at a time, for half an hour."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from accounts.models import ApplicationReview, DeviceSession, Status, User
from accounts.models.review import ApplicationReviewQuerySet
from accounts.policies import NotClaimed
from accounts.services.review import AlreadyClaimed, claim_review, release_claim
from accounts.tests.factories import AdminFactory, DoctorFactory
from accounts.tests.reviewing import approve, claim, round_of
from medisync.tests.client import sign_in
from medisync.tests.races import errors, race

pytestmark = pytest.mark.django_db
LASTS = ApplicationReview.CLAIM_LASTS


@pytest.fixture
def applicant(db: None) -> User:
    return DoctorFactory(status=Status.PENDING_APPROVAL)


@pytest.fixture
def office(admin: User) -> DeviceSession:
    return sign_in(admin)


@pytest.fixture
def colleague(db: None) -> DeviceSession:
    return sign_in(AdminFactory(first_name="Nadia", last_name="Other"))


def test_second_administrator_learns_who_was_first(
    office: DeviceSession, colleague: DeviceSession, applicant: User
) -> None:
    claim(office, applicant)

    with pytest.raises(AlreadyClaimed, match="Ada Admin is reviewing"):
        claim(colleague, applicant)


def test_claim_lapses(office: DeviceSession, colleague: DeviceSession, applicant: User) -> None:
    claim(office, applicant)

    with time_machine.travel(timezone.now() + LASTS, tick=False):
        review = claim(colleague, applicant)

    assert review.claimed_by == colleague.user


def test_lapsed_claim_decides_nothing(office: DeviceSession, applicant: User) -> None:
    review = claim(office, applicant)

    with time_machine.travel(timezone.now() + LASTS), pytest.raises(NotClaimed):
        release_claim(session=office, review_id=review.pk)


def test_claiming_again_extends(office: DeviceSession, applicant: User) -> None:
    first = claim(office, applicant)
    later = timezone.now() + dt.timedelta(minutes=20)

    with time_machine.travel(later):
        again = claim(office, applicant)

    assert again.claimed_at > first.claimed_at + dt.timedelta(minutes=19)


def test_released_application_is_free(
    office: DeviceSession, colleague: DeviceSession, applicant: User
) -> None:
    review = claim(office, applicant)

    release_claim(session=office, review_id=review.pk)

    assert approve(colleague, applicant).status == Status.ACTIVE


def test_only_its_holder_releases_it(
    office: DeviceSession, colleague: DeviceSession, applicant: User
) -> None:
    claim(office, applicant)

    with pytest.raises(NotClaimed):
        release_claim(session=colleague, review_id=round_of(applicant).pk)


@pytest.mark.django_db(transaction=True)
def test_of_two_claims_at_once_one_is_made(
    office: DeviceSession, colleague: DeviceSession, applicant: User
) -> None:
    racers = race(*_claims(office, colleague, applicant), gate=ApplicationReview)

    assert sorted(errors(racers)) == ["", "AlreadyClaimed"]
    winner = next(racer.value for racer in racers if racer.value)
    assert round_of(applicant).claimed_by == winner.claimed_by


@pytest.mark.django_db(transaction=True)
def test_asked_before_the_write_both_would_have_claimed_it(
    office: DeviceSession, colleague: DeviceSession, applicant: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """What the condition in the write is for."""
    conditional = ApplicationReviewQuerySet.claimable

    def asked_first(rows, by, at):
        return rows.filter(pk__in=[row.pk for row in conditional(rows, by, at)])

    monkeypatch.setattr(ApplicationReviewQuerySet, "claimable", asked_first)

    racers = race(*_claims(office, colleague, applicant), gate=ApplicationReview)

    assert errors(racers) == ["", ""]


def _claims(office: DeviceSession, colleague: DeviceSession, applicant: User):
    review_id = round_of(applicant).pk
    return [
        lambda session=session: claim_review(session=session, review_id=review_id)
        for session in (office, colleague)
    ]
