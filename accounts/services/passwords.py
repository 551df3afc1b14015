"""Forgotten passwords, and changed ones."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceSession, OneTimeCode, PasswordReset, PendingSignIn, User
from accounts.services import attempts, codes, sign_in
from accounts.services.registration import check_password, checked_address
from accounts.services.sessions import Device, end_sessions
from accounts.services.workers import hand_over
from common import crypto
from common.errors import DomainError, InvalidInput
from notifications.services import notify
from notifications.wording import Kind

OLD_PASSWORD_TRIES = 5
# A worker that has not looked at a request by then is taken for gone.
LEFT_BEHIND_AFTER = dt.timedelta(seconds=15)
SWEEP_SIZE = 500
TASK = "accounts.jobs.prepare_password_reset"


class ResetExpired(InvalidInput):
    code = "reset_expired"
    detail = _("This took too long, or was done already. Please ask for a new code.")


class ResetLinkGone(DomainError):
    code = "reset_link_gone"
    detail = _("A link from a mail works once, for ten minutes, unless a newer one replaced it.")
    status_code = 404


class WrongPassword(InvalidInput):
    code = "invalid_password"
    detail = _("The password is not right.")


class NoPasswordYet(DomainError):
    code = "no_password"
    detail = _(
        "Your account has no password yet. Choose one with “Forgot your password?” on the "
        "sign-in page."
    )


def request_reset(*, email: str, device: Device) -> PasswordReset:
    """Somebody forgot the password of an address. Whose it is, if anybody's, a worker looks up
    later: until then known and unknown are one, in words and in time."""
    email = checked_address(email)
    codes.spend_mailbox_of_resets(email, asked_on=device)
    now = timezone.now()
    with transaction.atomic():
        reset = PasswordReset.objects.create(
            email=email, asked_at=now, expires_at=now + PasswordReset.LASTS
        )
        hand_over(TASK, reset)
    return reset


def resend_code(*, reset_id: UUID, device: Device) -> None:
    """A new code and link, at most once a minute; the old ones stop working."""
    reset = PasswordReset.objects.filter(pk=reset_id).first()
    if reset is None:
        raise Http404
    now = timezone.now()
    waiting = PasswordReset.objects.awaiting_code(now).filter(pk=reset.pk)
    if not waiting.exists():
        raise ResetExpired
    codes.check_is_due(reset.asked_at, now=now)
    codes.spend_mailbox_of_resets(reset.email, asked_on=device)
    with transaction.atomic():
        # Of two at once, one sends.
        is_first = waiting.filter(asked_at=reset.asked_at).update(asked_at=now, prepared_at=None)
        if not is_first:
            raise codes.ResendTooSoon(int(OneTimeCode.RESEND_AFTER.total_seconds()))
        hand_over(TASK, reset)


@transaction.atomic
def prepare_reset(*, reset_id: UUID) -> None:
    """The worker's part: mail a code and a link to the owner of the address. For an address
    without an account, with a closed one, or with another password by now, keep a code that
    nothing will match. Harmless to run twice."""
    now = timezone.now()
    unprepared = PasswordReset.objects.unprepared(now).filter(pk=reset_id)
    email = unprepared.values_list("email", flat=True).first()
    user = User.objects.select_for_update(no_key=True).filter(email=email).first()
    is_first = unprepared.update(prepared_at=now, link_digest=None)
    if not is_first:
        return
    reset = PasswordReset.objects.get(pk=reset_id)
    if user is None or not user.may_sign_in or reset.used_at:
        codes.keep_unmatchable(reset, now=now)
        return
    secret = crypto.new_secret()
    reset.user, reset.link_digest = user, crypto.digest(secret)
    reset.link_expires_at = now + OneTimeCode.LASTS
    reset.save(update_fields=["user", "link_digest", "link_expires_at"])
    codes.send_code(
        reset,
        address=user.email,
        language=user.language,
        kind=Kind.PASSWORD_RESET_CODE,
        now=now,
        link=f"/password/link/{secret}?language={user.language}",
    )


def left_behind(now: dt.datetime) -> list[UUID]:
    """Requests that a dead broker or worker left behind, the oldest first."""
    overlooked = PasswordReset.objects.unprepared(now).filter(asked_at__lt=now - LEFT_BEHIND_AFTER)
    return list(overlooked.order_by("asked_at").values_list("pk", flat=True)[:SWEEP_SIZE])


def verify_reset_code(*, reset_id: UUID, code: str) -> str:
    """Trade the code from the mail for the token that opens the choice of a new password.
    An unknown reset, and one that no worker has seen yet, are answered like a wrong code."""
    now = timezone.now()
    reset = PasswordReset.objects.awaiting_code(now).filter(pk=reset_id).first()
    if reset is None:
        raise codes.InvalidCode(attr="otp")
    one_time_code = codes.try_code(reset, code, now=now)
    with transaction.atomic():
        codes.use_code(one_time_code, now=now)
        return _trade(reset, now=now)


def _trade(reset: PasswordReset, *, now: dt.datetime) -> str:
    """The token; only its digest is kept."""
    token = crypto.new_secret()
    is_first = (
        PasswordReset.objects.awaiting_code(now)
        .filter(pk=reset.pk, used_at=None)
        .update(reset_digest=crypto.digest(token), reset_expires_at=now + PasswordReset.TOKEN_LASTS)
    )
    if not is_first:
        raise codes.InvalidCode(attr="otp")
    return token


@transaction.atomic
def reset_password(*, reset_token: str, new_password: str, device: Device) -> User:
    """Choose a new password with the token of a reset.

    A password that is refused leaves the token as it was.
    """
    proof = PasswordReset.objects.with_token(reset_token, timezone.now())
    return _choose_password(proof, new_password, device, refusal=ResetExpired(attr="reset_token"))


def find_link(*, secret: str) -> PasswordReset:
    """What a link from a mail opens; looking at it changes nothing, for mail scanners do.

    One that was used or replaced, has expired or never was is one answer: `ResetLinkGone`.
    """
    reset = PasswordReset.objects.with_link(secret, timezone.now()).select_related("user").first()
    if reset is None or reset.user is None or not reset.proves(reset.user):
        raise ResetLinkGone
    return reset


@transaction.atomic
def reset_by_link(*, secret: str, new_password: str, device: Device) -> User:
    """Choose a new password with the link from a mail, whoever asked for that mail. There are
    256 bits to guess, so nothing is counted, and what strangers guess at does not stop it.

    A password that is refused leaves the link as it was. Raises `ResetLinkGone`.
    """
    proof = PasswordReset.objects.with_link(secret, timezone.now())
    return _choose_password(proof, new_password, device, refusal=ResetLinkGone())


def _choose_password(
    proof: QuerySet[PasswordReset], new_password: str, device: Device, *, refusal: DomainError
) -> User:
    """Of two at once, one sets a password. It signs nobody in, and second factors stay; but the
    device on which the mailbox was proved is told from strangers from then on."""
    found = proof.first()
    if found is None:
        raise refusal
    user = User.objects.select_for_update(no_key=True).get(pk=found.user_id)
    if not found.proves(user):
        raise refusal
    check_password(new_password, user, attr="new_password")
    is_first = proof.update(used_at=timezone.now())
    if not is_first:
        raise refusal
    _set_password(user, new_password)
    end_sessions(user, reason="password_reset")
    PasswordReset.objects.filter(pk=found.pk).update(device_digest=device.digest)
    sign_in.forget_failures(email=user.email)
    return user


def change_password(*, session: DeviceSession, old_password: str, new_password: str) -> None:
    """Trade the old password for another; every other device is signed out.

    Not in a transaction: a guess at the old password is counted before it is looked at.
    """
    if not session.user.has_usable_password():
        raise NoPasswordYet
    guard = attempts.Guard("old_password", str(session.user_id), free_tries=OLD_PASSWORD_TRIES)
    attempts.spend([guard])
    if not session.user.check_password(old_password):
        raise WrongPassword(attr="old_password")
    attempts.forget(guard)
    check_password(new_password, session.user, attr="new_password")
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=session.user_id)
        # Of two at once, the second no longer has the old one.
        if user.password != session.user.password:
            raise WrongPassword(attr="old_password")
        _set_password(user, new_password)
        end_sessions(user, reason="password_changed", keep=session)


def _set_password(user: User, password: str) -> None:
    """The caller holds the row's lock. Whoever has come half-way in by the old password stays
    outside."""
    user.set_password(password)
    user.save(update_fields=["password"])
    codes.close_resets(user)
    PendingSignIn.objects.filter(user=user, used_at=None).update(used_at=timezone.now())
    notify(recipient=user, kind=Kind.PASSWORD_CHANGED, url="/")
