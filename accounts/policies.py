"""Who may do what with accounts. `check_can_x` raises; `can_x` answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    AccountChange,
    ApplicationReview,
    DeviceSession,
    Role,
    Status,
    User,
)
from common.errors import DomainError, NotAllowed


class AccountNotActive(NotAllowed):
    code = "account_not_active"
    detail = _("Your account is not active yet.")


class SecondFactorNeeded(NotAllowed):
    code = "second_factor_required"
    detail = _("Administrators sign in with a second factor. Set one up, or sign in with it.")


class ConfirmationNeeded(NotAllowed):
    code = "confirmation_required"
    detail = _("Confirm that it is you first, then try again.")


class NotWaitingForApproval(DomainError):
    code = "not_pending_approval"
    detail = _("This application is not waiting for a decision.")


class NotClaimed(DomainError):
    code = "not_claimed"
    detail = _("Claim this application first; a claim lasts for half an hour.")


class NothingToCorrect(DomainError):
    code = "nothing_to_correct"
    detail = _("Your application has not been returned for correction.")


class ChangeDecided(DomainError):
    code = "change_decided"
    detail = _("This change has been decided or withdrawn by now.")


class ProposerGone(DomainError):
    code = "proposer_gone"
    detail = _(
        "Who proposed this is no longer an administrator. Refuse it; somebody else may propose it."
    )


class ProfileAlreadyComplete(DomainError):
    code = "profile_already_complete"
    detail = _("This profile is complete already.")


def check_is_active(actor: Any, *, role: Role) -> None:
    """The actor holds the role and is in good standing."""
    if not actor.is_authenticated or actor.role != role:
        raise NotAllowed(_("Your account cannot do this."))
    if not actor.is_in_good_standing:
        raise AccountNotActive


def is_active(actor: Any, *, role: Role) -> bool:
    return bool(actor.is_authenticated and actor.role == role and actor.is_in_good_standing)


def check_describes_practice(actor: Any) -> None:
    """A doctor, also while the application waits or has come back."""
    if not actor.is_authenticated or not actor.is_doctor or not actor.may_sign_in:
        raise NotAllowed(_("Your account cannot do this."))


def may_administer(session: DeviceSession | None) -> bool:
    """An administrator in good standing, signed in with a second factor."""
    return session is not None and session.user.is_staff and bool(session.factor)


def check_may_administer(session: DeviceSession) -> None:
    check_is_active(session.user, role=Role.ADMIN)
    if not session.factor:
        raise SecondFactorNeeded


def check_is_confirmed(session: DeviceSession) -> None:
    """Its person has just shown that it is them: asked before what could do harm in the hands
    of somebody who found the device unlocked."""
    if not is_confirmed(session):
        raise ConfirmationNeeded


def is_confirmed(session: DeviceSession) -> bool:
    """A password alone confirms nothing once the account has a second factor, also for a session
    that is older than the factor."""
    if not session.is_confirmed(timezone.now()):
        return False
    return bool(session.factor) or not session.user.has_second_factor


def check_can_review(session: DeviceSession, review: ApplicationReview) -> None:
    """An administrator, looking at somebody else's application while it waits."""
    check_may_administer(session)
    if review.profile.user_id == session.user_id:
        raise NotAllowed(_("Nobody reviews their own application."))
    if review.decision or review.profile.user.status != Status.PENDING_APPROVAL:
        raise NotWaitingForApproval


def check_can_decide(session: DeviceSession, review: ApplicationReview, at: dt.datetime) -> None:
    """Whoever has claimed it, as long as the claim lasts."""
    check_can_review(session, review)
    if not review.is_held_by(session.user, at):
        raise NotClaimed


def can_decide(session: DeviceSession, review: ApplicationReview, at: dt.datetime) -> bool:
    return _is_allowed(check_can_decide, session, review, at)


def can_review(session: DeviceSession, review: ApplicationReview) -> bool:
    return _is_allowed(check_can_review, session, review)


def check_can_correct(user: User) -> None:
    """An applicant whose application came back."""
    if user.status != Status.RETURNED:
        raise NothingToCorrect


def check_can_propose_change(session: DeviceSession, user: User) -> None:
    """An administrator, about somebody else."""
    check_may_administer(session)
    if user.pk == session.user_id:
        raise NotAllowed(_("Nobody changes their own role, licence or name here."))


def check_can_decide_change(session: DeviceSession, change: AccountChange) -> None:
    """Four eyes: neither who proposed it, nor whom it is about."""
    check_can_propose_change(session, change.user)
    if change.decision:
        raise ChangeDecided
    if change.proposed_by_id == session.user_id:
        raise NotAllowed(_("Another administrator has to decide what you proposed."))


def check_can_approve_change(session: DeviceSession, change: AccountChange) -> None:
    """The other pair of eyes has to be in office still. Refusing such a change stays open."""
    check_can_decide_change(session, change)
    if not is_active(change.proposed_by, role=Role.ADMIN):
        raise ProposerGone


def can_decide_change(session: DeviceSession, change: AccountChange) -> bool:
    return _is_allowed(check_can_decide_change, session, change)


def check_can_withdraw_change(session: DeviceSession, change: AccountChange) -> None:
    """Who proposed it, until it is decided."""
    check_may_administer(session)
    if change.proposed_by_id != session.user_id:
        raise NotAllowed(_("Only who proposed a change withdraws it."))
    if change.decision:
        raise ChangeDecided


def can_withdraw_change(session: DeviceSession, change: AccountChange) -> bool:
    return _is_allowed(check_can_withdraw_change, session, change)


def _is_allowed(check: Callable[..., None], *subjects: object) -> bool:
    try:
        check(*subjects)
    except DomainError:
        return False
    return True


def check_can_complete_profile(user: User, role: Role) -> None:
    """Once, by someone registering in that role."""
    if user.role != role:
        raise NotAllowed(_("Your account cannot do this."))
    if user.status != Status.EMAIL_VERIFIED:
        raise ProfileAlreadyComplete
