"""The JSON Web Tokens we hand out: what they carry and what each one opens."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.crypto import salted_hmac
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.models import DeviceSession, PendingSignIn, User


class OnboardingToken(Token):
    """Opens step 4 of one registration, and nothing else."""

    token_type = "onboarding"  # noqa: S105
    lifetime = dt.timedelta(hours=24)


def password_mark(user: User) -> str:
    """Another one as soon as the password is: what was handed out before ends with it."""
    return salted_hmac("accounts.onboarding", user.password, algorithm="sha256").hexdigest()[:16]


def onboarding_token(user: User) -> str:
    token = OnboardingToken()
    token["sub"] = str(user.pk)
    token["pwd"] = password_mark(user)
    return str(token)


class SecondFactorToken(Token):
    """Opens the step to the second factor of one sign-in, and nothing else."""

    token_type = "second_factor"  # noqa: S105
    lifetime = PendingSignIn.LASTS


def second_factor_token(pending: PendingSignIn) -> str:
    token = SecondFactorToken()
    token["sub"] = str(pending.user_id)
    token["pid"] = str(pending.pk)
    return str(token)


def token_pair(session: DeviceSession, *, now: dt.datetime) -> dict[str, Any]:
    """The current access and refresh token of a session.

    The refresh token's `jti` is the session's current refresh id; an older one is refused.
    """
    refresh = RefreshToken()
    refresh["sub"] = str(session.user_id)
    refresh["sid"] = str(session.pk)
    refresh["jti"] = str(session.refresh_id)
    refresh.set_exp(from_time=now)
    access = AccessToken()
    access["sub"] = str(session.user_id)
    access["sid"] = str(session.pk)
    access.set_exp(from_time=now)
    return {
        "access_token": str(access),
        "refresh_token": str(refresh),
        "expires_in": int(access.lifetime.total_seconds()),
    }
