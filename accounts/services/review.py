"""What administrators decide about doctors' applications, one round at a time.

A round opens when an application is handed in, and again when it comes back corrected. Whoever
claims it decides it, so that two people never compare the same papers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    ApplicationReview,
    Check,
    CorrectionStep,
    DeviceSession,
    RejectReason,
    Status,
    User,
)
from accounts.policies import check_can_decide, check_can_review
from accounts.services.licences import check_is_in_force
from accounts.services.statuses import enter_status
from accounts.services.texts import checked_text, required_text
from common.errors import DomainError, InvalidInput
from notifications.services import notify
from notifications.wording import Kind

Decision = ApplicationReview.Decision
# The status that follows from each decision, and what the doctor is told.
FOLLOWS: dict[str, tuple[Status, Kind]] = {
    Decision.APPROVED: (Status.ACTIVE, Kind.DOCTOR_APPROVED),
    Decision.RETURNED: (Status.RETURNED, Kind.DOCTOR_RETURNED),
    Decision.REJECTED: (Status.REJECTED, Kind.DOCTOR_REJECTED),
}


class AlreadyClaimed(DomainError):
    code = "already_claimed"

    def __init__(self, holder: User) -> None:
        super().__init__(_("%(name)s is reviewing this application.") % {"name": holder.full_name})


def claim_review(*, session: DeviceSession, review_id: UUID) -> ApplicationReview:
    """Take an application for half an hour; claiming one's own again extends it."""
    now = timezone.now()
    check_can_review(session, _found(review_id))
    # The condition is asked in the write itself: of two at once, one changes the row.
    free = ApplicationReview.objects.claimable(session.user, now).filter(pk=review_id)
    is_mine = free.update(claimed_by=session.user, claimed_at=now)
    review = _found(review_id)
    if not is_mine:
        check_can_review(session, review)
        raise AlreadyClaimed(review.claimed_by or session.user)
    return review


def release_claim(*, session: DeviceSession, review_id: UUID) -> None:
    """Let somebody else take it."""
    check_can_decide(session, _found(review_id), timezone.now())
    mine = ApplicationReview.objects.undecided().filter(pk=review_id, claimed_by=session.user)
    mine.update(claimed_by=None, claimed_at=None)


@transaction.atomic
def approve_doctor(
    *,
    session: DeviceSession,
    review_id: UUID,
    checks: Collection[str],
    licence_expiry_date: dt.date,
    note: str = "",
) -> User:
    """Let a doctor practise here, everything having been compared."""
    review = _claimed(session, review_id)
    if set(checks) != set(Check.values):
        raise InvalidInput(_("Compare everything on the list first."), attr="checks")
    check_is_in_force(licence_expiry_date)
    review.checks = Check.values
    review.profile.licence_expiry_date = licence_expiry_date
    review.profile.save(update_fields=["licence_expiry_date"])
    review.decision, review.note = Decision.APPROVED, checked_text(note, attr="note")
    return _conclude(session, review)


@transaction.atomic
def return_application(
    *, session: DeviceSession, review_id: UUID, step: CorrectionStep, note: str
) -> User:
    """Ask the applicant to correct one step, saying what is wrong with it."""
    review = _claimed(session, review_id)
    review.decision, review.return_step = Decision.RETURNED, step
    review.note = required_text(note, attr="note")
    return _conclude(session, review)


@transaction.atomic
def reject_doctor(
    *, session: DeviceSession, review_id: UUID, reason_code: RejectReason, note: str = ""
) -> User:
    """Turn an application down for good."""
    review = _claimed(session, review_id)
    checked = required_text if reason_code == RejectReason.OTHER else checked_text
    review.decision, review.reason_code = Decision.REJECTED, reason_code
    review.note = checked(note, attr="note")
    return _conclude(session, review)


def _found(review_id: UUID) -> ApplicationReview:
    reviews = ApplicationReview.objects.select_related("profile__user", "claimed_by")
    review = reviews.filter(pk=review_id).first()
    if review is None:
        raise Http404
    return review


def _claimed(session: DeviceSession, review_id: UUID) -> ApplicationReview:
    """The round and its doctor, locked, if it is this administrator's to decide. The account
    comes first, as everywhere."""
    doctor_id = _found(review_id).profile.user_id
    doctor = User.objects.select_for_update(no_key=True).get(pk=doctor_id)
    locked = ApplicationReview.objects.select_for_update(no_key=True).get(pk=review_id)
    locked.profile.user = doctor
    check_can_decide(session, locked, timezone.now())
    return locked


def _conclude(session: DeviceSession, review: ApplicationReview) -> User:
    """Record who decided and when, and tell the doctor; the reason waits on their page."""
    review.decided_by, review.decided_at = session.user, timezone.now()
    review.save()
    status, kind = FOLLOWS[review.decision]
    doctor = enter_status(
        review.profile.user,
        status,
        actor=session.user,
        reason=review.note,
        reason_code=review.reason_code or review.return_step,
    )
    notify(recipient=doctor, kind=kind, url="/")
    return doctor
