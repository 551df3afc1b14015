"""Administrators at work on applications, for tests that begin in the middle of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.models import (
    ApplicationReview,
    Check,
    CorrectionStep,
    DeviceSession,
    RejectReason,
    User,
)
from accounts.services import review as reviews
from common.clock import clinic_date


def round_of(applicant: User) -> ApplicationReview:
    """The open round of an application."""
    return ApplicationReview.objects.undecided().get(profile__user=applicant)


def claim(session: DeviceSession, applicant: User) -> ApplicationReview:
    return reviews.claim_review(session=session, review_id=round_of(applicant).pk)


def approve(session: DeviceSession, applicant: User, **changes: Any) -> User:
    """Claim it and approve, everything being right."""
    right = {"checks": Check.values, "licence_expiry_date": next_year()}
    return reviews.approve_doctor(
        session=session, review_id=claim(session, applicant).pk, **right | changes
    )


def send_back(
    session: DeviceSession,
    applicant: User,
    step: CorrectionStep = CorrectionStep.LICENCE_DOCUMENT,
    note: str = "The scan is cut off.",
) -> User:
    """Claim it and return it for correction."""
    return reviews.return_application(
        session=session, review_id=claim(session, applicant).pk, step=step, note=note
    )


def reject(
    session: DeviceSession,
    applicant: User,
    reason_code: RejectReason = RejectReason.OTHER,
    note: str = "Not a licence.",
) -> User:
    """Claim it and turn it down."""
    return reviews.reject_doctor(
        session=session, review_id=claim(session, applicant).pk, reason_code=reason_code, note=note
    )


def next_year() -> dt.date:
    return clinic_date() + dt.timedelta(days=365)
