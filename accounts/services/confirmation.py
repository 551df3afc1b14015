"""Confirm that it is you: asked again within a session, before what could do harm."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceSession, Factor
from accounts.oidc import Identity
from accounts.services import attempts, google, passkeys, second_factor
from accounts.services.passwords import WrongPassword
from common.errors import DomainError

TRIES = 5


class FactorAsked(DomainError):
    code = "second_factor_asked"
    detail = _("This account has a second factor. Confirm with that.")


class AnotherAccount(DomainError):
    code = "another_google_account"
    detail = _("That is not the Google account that signs in to your account here.")


def confirm_by_password(*, session: DeviceSession, password: str) -> None:
    """For accounts without a second factor. Not in a transaction: the try is counted first."""
    if session.user.has_second_factor:
        raise FactorAsked
    guard = _guard(session)
    attempts.spend([guard])
    if not session.user.check_password(password):
        raise WrongPassword(attr="password")
    attempts.forget(guard)
    _confirm(session)


def confirm_by_code(*, session: DeviceSession, code: str) -> None:
    """By the authenticator app or a recovery code. Not in a transaction."""
    guard = _guard(session)
    attempts.spend([guard])
    factor = second_factor.prove(session.user, code)
    attempts.forget(guard)
    _confirm(session, factor)


def ask_passkey(*, session: DeviceSession) -> passkeys.Asked:
    return passkeys.ask_of(session.user, passkeys.Purpose.CONFIRM)


def confirm_by_passkey(
    *, session: DeviceSession, challenge_id: UUID, credential: dict[str, Any]
) -> None:
    passkeys.prove(
        challenge_id=challenge_id,
        credential=credential,
        purpose=passkeys.Purpose.CONFIRM,
        user=session.user,
    )
    _confirm(session, Factor.PASSKEY)


@transaction.atomic
def confirm_by_google(*, session: DeviceSession, identity: Identity) -> None:
    """As good as signing in again, so not for an account with a second factor."""
    if session.user.has_second_factor:
        raise FactorAsked
    if google.owner_of(identity) != session.user:
        raise AnotherAccount
    google.spend(identity)
    _confirm(session)


def _confirm(session: DeviceSession, factor: Factor | None = None) -> None:
    if factor is not None:
        second_factor.show_factor(session, factor)
    session.confirmed_at = timezone.now()
    session.save(update_fields=["confirmed_at"])


def _guard(session: DeviceSession) -> attempts.Guard:
    return attempts.Guard("confirmation", str(session.user_id), free_tries=TRIES)
