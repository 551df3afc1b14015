"""The second factor: an authenticator app, and codes on paper for when it is lost."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from uuid import UUID

import pyotp
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    DeviceSession,
    Factor,
    Passkey,
    PendingSignIn,
    RecoveryCode,
    SignInMethod,
    Totp,
    User,
)
from accounts.policies import check_is_confirmed
from accounts.services import attempts, identities, sign_in
from accounts.services.sessions import Device, hold_account
from common import crypto
from common.errors import DomainError, InvalidInput
from notifications.services import notify
from notifications.wording import Kind

ISSUER = "MediSync"
TRIES = 5
# A phone's clock may be off by half a minute, and a code be typed as it changes.
STEPS_OFF = (-1, 0, 1)
FEW_CODES = 3
# Nothing on paper that is taken for something else: no 0 O, 1 I L, U V.
LETTERS = "ABCDEFGHJKMNPQRSTWXYZ23456789"
HALF = 5


class WrongCode(InvalidInput):
    code = "wrong_code"
    detail = _("This code is not right, or was used already. Wait for the next one.")


class SignInLapsed(DomainError):
    code = "sign_in_lapsed"
    detail = _("This sign-in is no longer open. Please sign in again.")
    status_code = 401


class AppAlreadyThere(DomainError):
    code = "totp_already_set_up"
    detail = _("An authenticator app is set up already. Remove it first.")


class NothingSetUp(DomainError):
    code = "no_second_factor"
    detail = _("This account has no second factor.")


class LastFactor(DomainError):
    code = "last_factor"
    detail = _("Administrators keep at least one second factor. Add another one first.")


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account has to show beside its password."""

    totp: Totp | None
    passkeys: list[Passkey]
    codes_left: int

    @property
    def is_set_up(self) -> bool:
        return self.totp is not None or bool(self.passkeys)

    @property
    def has_few_codes(self) -> bool:
        return self.is_set_up and self.codes_left <= FEW_CODES


def standing_of(user: User) -> Standing:
    return Standing(
        totp=Totp.objects.filter(user=user, confirmed_at__isnull=False).first(),
        passkeys=list(Passkey.objects.visible_to(user)),
        codes_left=RecoveryCode.objects.filter(user=user, used_at=None).count(),
    )


# --- Setting up ------------------------------------------------------------------------------


@transaction.atomic
def start_totp(*, session: DeviceSession) -> Totp:
    """A new seed, which counts for nothing until a code made of it is shown."""
    user = lock_factors(session)
    if Totp.objects.filter(user=user, confirmed_at__isnull=False).exists():
        raise AppAlreadyThere
    totp, _is_new = Totp.objects.update_or_create(
        user=user,
        defaults={
            "seed": pyotp.random_base32(),
            "begun_in": session,
            "begun_at": timezone.now(),
            "last_step": 0,
        },
    )
    return totp


def unconfirmed_totp(*, session: DeviceSession) -> Totp:
    """The seed begun, so that a page shown again shows the one already scanned; else a new one."""
    check_is_confirmed(session)
    return _begun_totp(session) or start_totp(session=session)


def _begun_totp(session: DeviceSession) -> Totp | None:
    begun_since = timezone.now() - Totp.SETTING_UP_LASTS
    begun = Totp.objects.filter(begun_in=session, begun_at__gt=begun_since, confirmed_at=None)
    return begun.first()


def totp_uri(totp: Totp) -> str:
    """What authenticator apps read from the QR symbol."""
    return pyotp.TOTP(totp.seed).provisioning_uri(name=totp.user.email, issuer_name=ISSUER)


@transaction.atomic
def confirm_totp(*, session: DeviceSession, code: str) -> list[str]:
    """The first code of the app sets it up; returns the recovery codes, if this made them."""
    lock_factors(session)
    now = timezone.now()
    totp = _begun_totp(session)
    step = _step_of(totp, code, now=now) if totp else None
    if totp is None or step is None:
        raise WrongCode(attr="code")
    totp.confirmed_at = totp.last_used_at = now
    totp.last_step = step
    totp.save(update_fields=["confirmed_at", "last_used_at", "last_step"])
    return factor_added(session, Factor.TOTP)


def factor_added(session: DeviceSession, factor: Factor) -> list[str]:
    """The session it was added in has shown it; an account's first factor comes with recovery
    codes. Part of the caller's transaction."""
    show_factor(session, factor)
    factor_changed(session.user)
    has_codes = RecoveryCode.objects.filter(user=session.user, used_at=None).exists()
    return [] if has_codes else _new_codes(session.user)


@transaction.atomic
def renew_recovery_codes(*, session: DeviceSession) -> list[str]:
    """Ten new codes; the old ones stop working. They can be read this once."""
    user = lock_factors(session)
    if not user.has_second_factor:
        raise NothingSetUp
    factor_changed(user)
    return _new_codes(user)


def _new_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = [_random_code() for _number in range(RecoveryCode.NUMBER)]
    RecoveryCode.objects.bulk_create(
        [RecoveryCode(user=user, digest=_digest(user, code)) for code in codes]
    )
    return codes


def _random_code() -> str:
    letters = [secrets.choice(LETTERS) for _place in range(2 * HALF)]
    return f"{''.join(letters[:HALF])}-{''.join(letters[HALF:])}"


def _digest(user: User, code: str) -> str:
    """Keyed: the table alone does not tell a code of 48 bits."""
    letters = "".join(character for character in code.upper() if character.isalnum())
    return crypto.blind_index(f"{user.pk} {letters}", purpose="accounts.recovery_code")


# --- Taking away -----------------------------------------------------------------------------


@transaction.atomic
def remove_totp(*, session: DeviceSession) -> None:
    user = lock_factors(session)
    removed, _rows = Totp.objects.filter(user=user, confirmed_at__isnull=False).delete()
    if not removed:
        raise NothingSetUp
    factor_removed(user)


def factor_removed(user: User) -> None:
    """Without a factor there is nothing to recover; administrators keep one. Part of the
    caller's transaction, which holds the account's factors."""
    if not user.has_second_factor:
        if user.is_admin:
            raise LastFactor
        RecoveryCode.objects.filter(user=user).delete()
    factor_changed(user)


def delete_factors(user: User) -> None:
    """Every one, and the codes on paper. Part of the caller's transaction, which holds the
    account."""
    for rows in (Totp.objects, Passkey.objects, RecoveryCode.objects):
        rows.filter(user=user).delete()
    factor_changed(user)


def lock_factors(session: DeviceSession) -> User:
    """The account, held, for a confirmed session that still stands. Whoever changes factors holds
    it: two at once cannot take away the last two, nor make codes twice."""
    user = hold_account(session)
    check_is_confirmed(session)
    return user


def factor_changed(user: User) -> None:
    notify(recipient=user, kind=Kind.FACTOR_CHANGED, url="/security")


# --- Showing ---------------------------------------------------------------------------------


def prove(user: User, code: str) -> Factor:
    """Judge a code of the app or one from paper, and spend it. Raises `WrongCode`.

    Nothing here counts the guesses: callers have them guarded first.
    """
    now = timezone.now()
    if _use_totp(user, code, now=now):
        return Factor.TOTP
    if _use_recovery_code(user, code, now=now):
        return Factor.RECOVERY_CODE
    raise WrongCode(attr="code")


def _use_totp(user: User, code: str, *, now: dt.datetime) -> bool:
    """Each step's code is accepted once: of two who show it at once, one is let in."""
    totp = Totp.objects.filter(user=user, confirmed_at__isnull=False).first()
    step = _step_of(totp, code, now=now) if totp else None
    if totp is None or step is None:
        return False
    unused = Totp.objects.filter(pk=totp.pk, last_step__lt=step)
    return bool(unused.update(last_step=step, last_used_at=now))


def _step_of(totp: Totp, code: str, *, now: dt.datetime) -> int | None:
    """The time step, about now, that this is the code of."""
    app = pyotp.TOTP(totp.seed)
    for offset in STEPS_OFF:
        step = app.timecode(now) + offset
        if constant_time_compare(app.generate_otp(step), code):
            return step
    return None


def _use_recovery_code(user: User, code: str, *, now: dt.datetime) -> bool:
    unused = RecoveryCode.objects.filter(digest=_digest(user, code), used_at=None)
    return bool(unused.update(used_at=now))


def show_factor(session: DeviceSession, factor: Factor) -> None:
    """Remember that the session's person has shown a second factor in it."""
    session.factor = factor
    session.save(update_fields=["factor"])


# --- Signing in ------------------------------------------------------------------------------


def find_pending(pending_id: str | UUID) -> PendingSignIn:
    """The sign-in that waits for its second factor. Raises `SignInLapsed`."""
    found = PendingSignIn.objects.open(timezone.now()).select_related("user")
    pending = found.filter(pk=pending_id).first()
    if pending is None or not pending.user.may_sign_in:
        raise SignInLapsed
    return pending


def sign_in_by_code(*, pending: PendingSignIn, code: str, device: Device) -> sign_in.SignIn:
    """The second step of a sign-in, by a code. Not in a transaction: the try is counted first."""
    guard = attempts.guard_on("second_factor", pending.user.email, device, free_tries=TRIES)
    attempts.spend([guard])
    factor = prove(pending.user, code)
    attempts.forget(guard)
    return go_on(pending=pending, factor=factor, device=device)


@transaction.atomic
def go_on(*, pending: PendingSignIn, factor: Factor, device: Device) -> sign_in.SignIn:
    """Open the session that was waited for, once; and link what waited for it as well."""
    now = timezone.now()
    if not PendingSignIn.objects.open(now).filter(pk=pending.pk).update(used_at=now):
        raise SignInLapsed
    came_in = sign_in.begin(
        user=pending.user, method=SignInMethod(pending.method), device=device, factor=factor
    )
    if pending.link_subject:
        identities.link(pending.user, issuer=pending.link_issuer, subject=pending.link_subject)
    return came_in
