"""Who may do what with accounts. `check_can_x` raises; `can_x` answers."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Role, Status, User
from common.errors import DomainError, NotAllowed


class AccountNotActive(NotAllowed):
    code = "account_not_active"
    detail = _("Your account is not active yet.")


class NotWaitingForApproval(DomainError):
    code = "not_pending_approval"
    detail = _("This application is not waiting for a decision.")


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


def can_review_doctor(actor: Any, doctor: User) -> bool:
    return is_active(actor, role=Role.ADMIN) and doctor.status == Status.PENDING_APPROVAL


def check_can_review_doctor(actor: Any, doctor: User) -> None:
    """An administrator, deciding on an application that waits."""
    check_is_active(actor, role=Role.ADMIN)
    if doctor.status != Status.PENDING_APPROVAL:
        raise NotWaitingForApproval


def check_can_complete_profile(user: User, role: Role) -> None:
    """Once, by someone registering in that role."""
    if user.role != role:
        raise NotAllowed(_("Your account cannot do this."))
    if user.status != Status.EMAIL_VERIFIED:
        raise ProfileAlreadyComplete
