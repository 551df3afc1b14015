"""The JSON Web Tokens we hand out: what they carry and what each one opens."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.models import DeviceSession, User


class OnboardingToken(Token):
    """Opens step 4 of one registration, and nothing else."""

    token_type = "onboarding"  # noqa: S105
    lifetime = dt.timedelta(hours=24)


def onboarding_token(user: User) -> str:
    token = OnboardingToken()
    token["sub"] = str(user.pk)
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
