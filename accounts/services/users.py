"""What administrators do to accounts: closing one, opening it again, helping its person back in."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    AccountListExport,
    DeviceSession,
    PatientProfile,
    Role,
    SecondFactorReset,
    Status,
    StatusChange,
    User,
)
from accounts.policies import check_is_active, check_is_confirmed, check_may_administer
from accounts.services.second_factor import delete_factors
from accounts.services.sessions import end_sessions
from accounts.services.statuses import enter_status
from accounts.services.texts import required_text
from audit.models import AccessEvent
from audit.services import record_access
from common.errors import DomainError, NotAllowed
from notifications.services import notify
from notifications.wording import Kind

# What an account can be opened again from; who is anonymised is gone for good.
REOPENABLE = frozenset({Status.INACTIVE, Status.SUSPENDED})


class OwnAccount(NotAllowed):
    code = "own_account"
    detail = _("Nobody does this to their own account. Ask another administrator.")


class AccountIsClosed(DomainError):
    code = "account_is_closed"
    detail = _("This account is closed already.")


class AccountIsOpen(DomainError):
    code = "account_is_open"
    detail = _("This account is not closed.")


class ClosedByYou(NotAllowed):
    code = "closed_by_you"
    detail = _("You closed this administrator's account; another administrator has to reopen it.")


class AccountIsGone(DomainError):
    code = "account_is_gone"
    detail = _("This account is anonymised; nobody can open it again.")


@transaction.atomic
def deactivate_user(*, session: DeviceSession, user_id: UUID, reason: str) -> User:
    """Close an account: its person left, or should not be here."""
    return _close(session, user_id, Status.INACTIVE, reason)


@transaction.atomic
def suspend_user(*, session: DeviceSession, user_id: UUID, reason: str) -> User:
    """Close an account that is not to be trusted for now. Whoever verifies a prescription of a
    suspended doctor is told."""
    return _close(session, user_id, Status.SUSPENDED, reason)


@transaction.atomic
def activate_user(*, session: DeviceSession, user_id: UUID, reason: str) -> User:
    """Open a closed account again, in the status it had before. An administrator's takes two:
    whoever closed it leaves opening it to another."""
    user = lock_for_administrator(session, user_id)
    reason = required_text(reason, attr="reason")
    if user.status not in REOPENABLE:
        raise AccountIsGone if user.status == Status.ANONYMISED else AccountIsOpen
    closing = _closing_of(user)
    if user.role == Role.ADMIN and closing.changed_by_id == session.user_id:
        raise ClosedByYou
    enter_status(user, Status(closing.from_status), actor=session.user, reason=reason)
    notify(recipient=user, kind=Kind.ACCOUNT_REOPENED, url="/login")
    return user


@transaction.atomic
def reset_second_factor(*, session: DeviceSession, user_id: UUID, reason: str) -> User:
    """Take every factor off the account of somebody who lost theirs, and sign them out."""
    user = lock_for_administrator(session, user_id)
    reason = required_text(reason, attr="reason")
    if not user.may_sign_in:
        raise AccountIsGone if user.status == Status.ANONYMISED else AccountIsClosed
    delete_factors(user)
    SecondFactorReset.objects.create(user=user, reset_by=session.user, reason=reason)
    end_sessions(user, reason="second_factor_reset")
    return user


def lock_for_administrator(session: DeviceSession, user_id: UUID) -> User:
    """Somebody else's account, for an administrator who has just shown that it is them. Part of
    the caller's transaction.

    Both rows are locked, in one order, and the administrator is asked for once more. So two who
    close each other's account at the same time end with one of them closed: whoever acts is
    still there at the commit, and the last active administrator cannot be closed.
    """
    check_may_administer(session)
    check_is_confirmed(session)
    if user_id == session.user_id:
        raise OwnAccount
    both = User.objects.select_for_update(no_key=True).filter(pk__in=[session.user_id, user_id])
    people = {user.pk: user for user in both.order_by("pk")}
    if user_id not in people:
        raise Http404
    check_is_active(people[session.user_id], role=Role.ADMIN)
    return people[user_id]


@transaction.atomic
def record_list_export(
    *, session: DeviceSession, filters: list[str], row_count: int
) -> AccountListExport:
    """Put on record that an administrator takes a list of accounts out of here."""
    check_may_administer(session)
    check_is_confirmed(session)
    return AccountListExport.objects.create(
        taken_by=session.user, filters=filters, row_count=row_count
    )


def record_profile_view(*, session: DeviceSession, user: User) -> None:
    """Put in the access log that an administrator looked at what a patient told of themselves."""
    profile = PatientProfile.objects.filter(user=user).first()
    if profile is not None:
        record_access(
            actor_id=session.user_id,
            patient_id=user.pk,
            action=AccessEvent.Action.READ,
            target=profile,
            basis=AccessEvent.Basis.ADMINISTRATION,
        )


def _close(session: DeviceSession, user_id: UUID, status: Status, reason: str) -> User:
    user = lock_for_administrator(session, user_id)
    reason = required_text(reason, attr="reason")
    if not user.may_sign_in:
        raise AccountIsClosed
    enter_status(user, status, actor=session.user, reason=reason)
    notify(recipient=user, kind=Kind.ACCOUNT_CLOSED, url="")
    return user


def _closing_of(user: User) -> StatusChange:
    """Who closed it, and what it was before. A closing that nobody recorded is not undone here."""
    closing = user.status_changes.filter(to_status=user.status).first()
    if closing is None or not closing.from_status:
        raise AccountIsOpen(_("Nothing is on record that this account could go back to."))
    return closing
