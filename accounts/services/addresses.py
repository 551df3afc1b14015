"""Moving an account to another e-mail address."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceSession, EmailChange, OneTimeCode, User
from accounts.policies import check_is_confirmed
from accounts.services import codes
from accounts.services.registration import AlreadyRegistered, checked_address
from accounts.services.sessions import end_sessions, hold_account
from common.errors import InvalidInput
from notifications.services import post_email
from notifications.wording import Kind


class SameAddress(InvalidInput):
    code = "same_address"
    detail = _("This is your address already.")


class ChangeExpired(InvalidInput):
    code = "change_expired"
    detail = _("This took too long, or was done already. Please begin again.")


def request_change(*, session: DeviceSession, new_email: str) -> EmailChange:
    """Send a code to the new address. The answer is the same whether or not it is taken: its
    owner is told by mail, and no code that could ever match is sent."""
    check_is_confirmed(session)
    email = checked_address(new_email, attr="new_email")
    if email == session.user.email:
        raise SameAddress(attr="new_email")
    codes.spend_mailbox(email)
    now = timezone.now()
    with transaction.atomic():
        change = EmailChange.objects.create(
            user=session.user, email=email, expires_at=now + EmailChange.LASTS
        )
        _send_code(change, now=now)
    return change


def resend_code(*, change_id: UUID) -> None:
    """A new code, at most once a minute; the old one stops working."""
    with transaction.atomic():
        email = _waiting_for_code(change_id).email
    codes.spend_mailbox(email)
    with transaction.atomic():
        _send_code(_waiting_for_code(change_id), now=timezone.now())


def verify_change(*, session: DeviceSession, change_id: UUID, code: str) -> User:
    """The code from the mail moves the account; every other device is signed out, and the old
    address is told. Not in a transaction: a wrong try is spent."""
    now = timezone.now()
    change = EmailChange.objects.open(now).filter(pk=change_id, user=session.user).first()
    if change is None:
        raise codes.InvalidCode(attr="otp")
    one_time_code = codes.try_code(change, code, now=now)
    try:
        with transaction.atomic():
            return _move(change, one_time_code, session, now=now)
    except IntegrityError as error:
        raise AlreadyRegistered from error


def _waiting_for_code(change_id: UUID) -> EmailChange:
    change = EmailChange.objects.select_for_update(no_key=True).filter(pk=change_id).first()
    if change is None:
        raise Http404
    now = timezone.now()
    if change.used_at or change.expires_at <= now:
        raise ChangeExpired
    codes.check_may_send(change, now=now)
    return change


def _send_code(change: EmailChange, *, now: dt.datetime) -> None:
    """Mail a code, or the owner of a taken address."""
    owner = User.objects.filter(email=change.email).first()
    codes.send_code(
        change,
        address=change.email,
        language=(owner or change.user).language,
        kind=Kind.EMAIL_CHANGE_CODE,
        instead=Kind.ALREADY_REGISTERED if owner else None,
        now=now,
    )


def _move(
    change: EmailChange, code: OneTimeCode, session: DeviceSession, *, now: dt.datetime
) -> User:
    user = hold_account(session)
    codes.use_code(code, now=now)
    old_address, user.email = user.email, change.email
    user.save(update_fields=["email"])
    # What else was asked for lapses, and is nobody's: it was not proved.
    asked = EmailChange.objects.open(now).filter(user=user)
    asked.exclude(pk=change.pk).update(expires_at=now)
    EmailChange.objects.filter(pk=change.pk).update(used_at=now)
    codes.close_resets(user)
    end_sessions(user, reason="email_changed", keep=session)
    post_email(
        to_address=old_address,
        language=user.language,
        kind=Kind.EMAIL_CHANGED,
        idempotency_key=f"email_changed:{change.pk}",
    )
    return user
