"""From the first proof of who somebody is to a session, or to what is still missing."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceSession, PendingSignIn, SignInMethod, Status, User
from accounts.services import attempts
from accounts.services.sessions import Device, open_session
from common.client import network_of
from common.errors import DomainError, NotAllowed

ACCOUNT_TRIES = 5
# The people of one clinic share an address.
ADDRESS_TRIES = 30


class InvalidCredentials(DomainError):
    code = "invalid_credentials"
    detail = _("The e-mail address or the password is not right.")
    status_code = 401


class AccountClosed(NotAllowed):
    code = "account_closed"
    detail = _("This account has been deactivated. Please write to us if you think it should not.")


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a proof led to: a session; a second factor to show; or, with neither, a registration
    to finish."""

    user: User
    session: DeviceSession | None = None
    pending: PendingSignIn | None = None


def authenticate(*, email: str, password: str, device: Device) -> User:
    """The user of these credentials.

    An unknown e-mail address costs as much time and as many tries as a known one, and is
    answered in the same words. Raises `InvalidCredentials`, `AccountClosed` or
    `TooManyRequests`.
    """
    email = email.lower()
    account = attempts.guard_on("account", email, device, free_tries=ACCOUNT_TRIES)
    network = network_of(device.ip_address)
    place = attempts.Guard("sign_in_address", network, free_tries=ADDRESS_TRIES)
    attempts.spend([account, place])
    user = User.objects.filter(email=email).first()
    if user is None:
        make_password(password)
        raise InvalidCredentials
    if not user.check_password(password):
        raise InvalidCredentials
    attempts.forget(account)
    attempts.give_back(place)
    if not user.may_sign_in:
        raise AccountClosed
    return user


@transaction.atomic
def begin(*, user: User, method: SignInMethod, device: Device, factor: str = "") -> SignIn:
    """Let in whoever has shown one factor, as far as that goes.

    `factor` is a second one shown along with the first, as a passkey does.
    """
    _check_still_holds(user)
    if factor and not user.has_second_factor:
        # Taken off while it was being shown: what was shown may be what was lost.
        raise InvalidCredentials
    if user.status == Status.EMAIL_VERIFIED:
        return SignIn(user)
    if not factor and user.has_second_factor:
        return SignIn(user, pending=_await_second_factor(user, method))
    return SignIn(
        user, session=open_session(user=user, method=method, device=device, factor=factor)
    )


def _check_still_holds(user: User) -> None:
    """Whoever showed a password that was changed meanwhile, or whose account was closed, stays
    outside. The row is held until the session stands, so a change waits, and ends it too."""
    current = (
        User.objects.select_for_update(no_key=True)
        .filter(pk=user.pk, password=user.password)
        .first()
    )
    if current is None:
        raise InvalidCredentials
    if not current.may_sign_in:
        raise AccountClosed


def forget_failures(*, email: str) -> None:
    """A new password unlocks the account, on its own devices and everywhere else."""
    attempts.forget_everywhere("account", email)


def _await_second_factor(user: User, method: SignInMethod) -> PendingSignIn:
    return PendingSignIn.objects.create(
        user=user, method=method, expires_at=timezone.now() + PendingSignIn.LASTS
    )
