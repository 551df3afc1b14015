"""Changes of role, licence or reviewed name: one administrator proposes, another decides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountChange, DeviceSession, DoctorProfile, Role, Status, User
from accounts.policies import (
    check_can_approve_change,
    check_can_decide_change,
    check_can_propose_change,
    check_can_withdraw_change,
    check_is_confirmed,
)
from accounts.services.applications import LicenceTaken, save_licence
from accounts.services.licences import check_is_in_force
from accounts.services.sessions import end_sessions
from accounts.services.texts import (
    checked_licence_number,
    checked_name,
    checked_text,
    required_text,
)
from accounts.services.users import REOPENABLE
from common.errors import DomainError, InvalidInput
from notifications.services import notify
from notifications.wording import Kind

Decision = AccountChange.Decision
Values = dict[str, Any]
TOLD: dict[str, tuple[Kind, str]] = {
    AccountChange.Kind.ROLE: (Kind.ROLE_CHANGED, "/"),
    AccountChange.Kind.LICENCE: (Kind.LICENCE_CHANGED, "/profile"),
    AccountChange.Kind.NAME: (Kind.NAME_CHANGED, "/profile"),
}


class NothingChanges(InvalidInput):
    code = "nothing_changes"
    detail = _("This is how it is already.")


class AlreadyProposed(DomainError):
    code = "already_proposed"
    detail = _("Such a change is proposed already; decide or withdraw that one first.")


class ChangeOutdated(DomainError):
    code = "change_outdated"
    detail = _("The account has changed since this was proposed. Refuse it and propose it anew.")


class RoleNotPossible(DomainError):
    code = "role_not_possible"


class NotReviewed(DomainError):
    code = "not_reviewed"
    detail = _("Only what has been compared with a licence is changed in this way.")


class LastAdministrator(DomainError):
    code = "last_administrator"
    detail = _("Somebody has to remain an administrator.")


def propose_role(
    *, session: DeviceSession, user_id: UUID, role: Role, reason: str
) -> AccountChange:
    """Somebody shall be something else here."""
    return _propose(session, user_id, AccountChange.Kind.ROLE, {"role": role}, reason)


def propose_licence(
    *,
    session: DeviceSession,
    user_id: UUID,
    licence_number: str,
    licence_expiry_date: dt.date,
    reason: str,
) -> AccountChange:
    """A doctor's licence is renewed, or was read wrongly."""
    check_is_in_force(licence_expiry_date)
    new = {
        "licence_number": checked_licence_number(licence_number),
        "licence_expiry_date": licence_expiry_date.isoformat(),
    }
    return _propose(session, user_id, AccountChange.Kind.LICENCE, new, reason)


def propose_name(
    *, session: DeviceSession, user_id: UUID, first_name: str, last_name: str, reason: str
) -> AccountChange:
    """A doctor whose name was compared with the licence has another one."""
    new = {
        "first_name": checked_name(first_name, attr="first_name"),
        "last_name": checked_name(last_name, attr="last_name"),
    }
    return _propose(session, user_id, AccountChange.Kind.NAME, new, reason)


@transaction.atomic
def approve_change(*, session: DeviceSession, change_id: UUID, note: str = "") -> AccountChange:
    """Second it: it takes effect at once, if the account still is as it was when proposed."""
    change = _locked(change_id)
    check_can_approve_change(session, change)
    check_is_confirmed(session)
    if current_values(change.user, change.kind) != change.old_values:
        raise ChangeOutdated
    _check_is_possible(change.user, change.kind, change.new_values)
    _APPLY[change.kind](session, change.user, change.new_values)
    kind, url = TOLD[change.kind]
    notify(recipient=change.user, kind=kind, url=url)
    return _decide(session, change, Decision.APPROVED, checked_text(note, attr="note"))


@transaction.atomic
def refuse_change(*, session: DeviceSession, change_id: UUID, note: str) -> AccountChange:
    """Leave the account as it is, saying why."""
    change = _locked(change_id)
    check_can_decide_change(session, change)
    return _decide(session, change, Decision.REFUSED, required_text(note, attr="note"))


@transaction.atomic
def withdraw_change(*, session: DeviceSession, change_id: UUID) -> AccountChange:
    """Take back what one has proposed."""
    change = _locked(change_id)
    check_can_withdraw_change(session, change)
    return _decide(session, change, Decision.WITHDRAWN, "")


def current_values(user: User, kind: str) -> Values:
    """What a change of this kind would replace, as the proposal keeps it."""
    if kind == AccountChange.Kind.ROLE:
        return {"role": user.role}
    if kind == AccountChange.Kind.NAME:
        return {"first_name": user.first_name, "last_name": user.last_name}
    profile = user.doctor_profile
    expiry = profile.licence_expiry_date
    return {
        "licence_number": profile.licence_number,
        "licence_expiry_date": expiry.isoformat() if expiry else None,
    }


def check_is_changeable(user: User, kind: str) -> None:
    """A role of an account in good standing; a licence or name that was reviewed."""
    if kind == AccountChange.Kind.ROLE:
        if not user.is_in_good_standing:
            raise RoleNotPossible(_("Only an account in good standing takes another role."))
    elif not _was_reviewed(user):
        raise NotReviewed


def _was_reviewed(user: User) -> bool:
    """A doctor who practises here, or did before the account was closed: one that was closed
    earlier waits for its review still, if it has a licence to be reviewed at all."""
    if not user.is_doctor or user.is_in_good_standing:
        return user.is_doctor
    practised = user.status_changes.filter(from_status=Status.ACTIVE)
    return user.status in REOPENABLE and practised.exists()


@transaction.atomic
def _propose(
    session: DeviceSession, user_id: UUID, kind: AccountChange.Kind, new: Values, reason: str
) -> AccountChange:
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise Http404
    check_can_propose_change(session, user)
    _check_is_possible(user, kind, new)
    old = current_values(user, kind)
    if new == old:
        raise NothingChanges
    try:
        with transaction.atomic():
            return AccountChange.objects.create(
                user=user,
                kind=kind,
                old_values=old,
                new_values=new,
                reason=required_text(reason, attr="reason"),
                proposed_by=session.user,
            )
    except IntegrityError as error:
        raise AlreadyProposed from error


def _check_is_possible(user: User, kind: str, new: Values) -> None:
    check_is_changeable(user, kind)
    if kind == AccountChange.Kind.ROLE:
        _check_has_profile(user, new["role"])
    elif kind == AccountChange.Kind.LICENCE:
        others = DoctorProfile.objects.exclude(user=user)
        if others.filter(licence_number=new["licence_number"]).exists():
            raise LicenceTaken(attr="licence_number")


def _check_has_profile(user: User, role: str) -> None:
    """Nobody is made a patient without a birth date, or a doctor without a licence."""
    profile = {Role.PATIENT: "patient_profile", Role.DOCTOR: "doctor_profile"}.get(Role(role))
    if profile and not hasattr(user, profile):
        raise RoleNotPossible(_("This account has no profile for that role."), attr="role")


def _locked(change_id: UUID) -> AccountChange:
    """The change and whom it is about, the account first, as everywhere."""
    found = AccountChange.objects.filter(pk=change_id).first()
    user = _locked_user(found) if found else None
    change = AccountChange.objects.select_for_update(no_key=True).filter(pk=change_id).first()
    if user is None or change is None:
        raise Http404
    change.user = user
    return change


def _locked_user(change: AccountChange) -> User:
    """Whom it is about. A role is changed with all administrators held, always in one order, so
    that they cannot take each other out of office at the same time."""
    people = models.Q(pk=change.user_id)
    if change.kind == AccountChange.Kind.ROLE:
        people |= models.Q(role=Role.ADMIN)
    locked = User.objects.filter(people).select_for_update(no_key=True).order_by("pk")
    return next(user for user in list(locked) if user.pk == change.user_id)


def _apply_role(session: DeviceSession, user: User, new: Values) -> None:
    # Whoever is about to connect with them keeps the row: they are waited for, and whoever comes
    # later waits for the new role.
    User.objects.select_for_update().get(pk=user.pk)
    user.role = new["role"]
    user.save(update_fields=["role"])
    # Whoever approves may have lost the office in the meantime.
    if not User.objects.active().filter(role=Role.ADMIN, pk=session.user_id).exists():
        raise LastAdministrator
    end_sessions(user, reason="role_changed")


def _apply_licence(session: DeviceSession, user: User, new: Values) -> None:
    profile = user.doctor_profile
    profile.licence_number = new["licence_number"]
    profile.licence_expiry_date = dt.date.fromisoformat(new["licence_expiry_date"])
    save_licence(profile)


def _apply_name(session: DeviceSession, user: User, new: Values) -> None:
    user.first_name, user.last_name = new["first_name"], new["last_name"]
    user.save(update_fields=["first_name", "last_name"])


_APPLY: dict[str, Callable[[DeviceSession, User, Values], None]] = {
    AccountChange.Kind.ROLE: _apply_role,
    AccountChange.Kind.LICENCE: _apply_licence,
    AccountChange.Kind.NAME: _apply_name,
}


def _decide(
    session: DeviceSession, change: AccountChange, decision: Decision, note: str
) -> AccountChange:
    change.decision, change.note = decision, note
    change.decided_by, change.decided_at = session.user, timezone.now()
    change.save(update_fields=["decision", "note", "decided_by", "decided_at"])
    return change
