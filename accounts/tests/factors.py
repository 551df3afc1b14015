"""People with a second factor."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pyotp
from django.utils import timezone

from accounts.models import DeviceSession, Factor, Passkey, PendingSignIn, Totp, User
from accounts.services.passkeys import (
    Asked,
    Purpose,
    add_passkey,
    ask_for_second_factor,
    ask_of,
    ask_to_register,
    ask_to_sign_in,
)
from accounts.services.second_factor import confirm_totp, start_totp
from accounts.tests.authenticator import Authenticator
from accounts.tests.factories import PASSWORD
from accounts.tokens import second_factor_token
from medisync.tests.client import sign_in


def code_of(totp: Totp, *, steps: int = 0) -> str:
    """What the app shows, now or some steps from now."""
    app = pyotp.TOTP(totp.seed)
    return app.at(timezone.now(), counter_offset=steps)


def wrong_code(totp: Totp) -> str:
    shown = {code_of(totp, steps=steps) for steps in range(-3, 4)}
    return next(code for code in map("{:06d}".format, range(10)) if code not in shown)


def with_totp(user: User) -> tuple[Totp, list[str]]:
    """The app set up a minute ago, so that the code of now is still good; the recovery codes."""
    session = sign_in(user)
    totp = start_totp(session=session)
    codes = confirm_totp(session=session, code=code_of(totp))
    Totp.objects.filter(pk=totp.pk).update(last_step=0)
    session.delete()
    totp.refresh_from_db()
    return totp, codes


def with_passkey(user: User, *, name: str = "Key") -> tuple[Passkey, Authenticator]:
    session, authenticator = sign_in(user), Authenticator()
    asked = ask_to_register(session=session)
    passkey, _codes = add_passkey(
        session=session,
        challenge_id=asked.challenge_id,
        credential=authenticator.create(asked.options),
        name=name,
    )
    session.delete()
    return passkey, authenticator


def unconfirmed(session: DeviceSession) -> DeviceSession:
    """The session an hour on: still signed in, its confirmation lapsed."""
    session.confirmed_at = timezone.now() - dt.timedelta(hours=1)
    session.save(update_fields=["confirmed_at"])
    return session


def factor_bodies(session: DeviceSession, holder: User) -> tuple[Passkey, dict[str, Any]]:
    """The passkey of somebody with every factor, who has shown one wherever they are signed in,
    and a right body for each route about factors: theirs, and those of the session of somebody
    who has just begun to set some up."""
    _totp, codes = with_totp(holder)
    passkey, key = with_passkey(holder)
    DeviceSession.objects.filter(user=holder).update(factor=Factor.TOTP)
    pending = PendingSignIn.objects.create(
        user=holder, method="PASSWORD", expires_at=timezone.now() + PendingSignIn.LASTS
    )
    token = {"mfa_token": second_factor_token(pending)}
    first_code = {"code": code_of(start_totp(session=session))}
    made = _shown(ask_to_register(session=session), Authenticator().create)
    signed_in = _shown(ask_to_sign_in(), key.get)
    second = _shown(ask_for_second_factor(pending=pending), key.get)
    confirmed = _shown(ask_of(holder, Purpose.CONFIRM), key.get)
    return passkey, {
        "POST security/totp": first_code,
        "POST security/passkeys": made
        | {"credential": json.dumps(made["credential"]), "name": "x"},
        "POST security/passkeys/<pk>/rename": {"name": "New"},
        "POST confirm": {"password": PASSWORD},
        "POST api/v1/auth/confirm": {"password": PASSWORD},
        "POST api/v1/auth/confirm/passkey": confirmed,
        "POST api/v1/auth/mfa/totp/confirm": first_code,
        "POST api/v1/auth/mfa/verify": token | {"code": codes[0]},
        "POST api/v1/auth/mfa/passkey/options": token,
        "POST api/v1/auth/mfa/passkey": token | second,
        "POST api/v1/auth/passkeys": made,
        "PATCH api/v1/auth/passkeys/<pk>": {"name": "New"},
        "POST api/v1/auth/passkeys/sign-in": signed_in,
    }


def _shown(asked: Asked, show: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    return {"challenge_id": str(asked.challenge_id), "credential": show(asked.options)}
