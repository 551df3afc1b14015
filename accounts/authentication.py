"""How a caller proves who they are: a bearer token of a live session."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from auditlog.context import auditlog_value
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, Token

from accounts.models import DeviceSession, PendingSignIn, User
from accounts.services.second_factor import SignInLapsed, find_pending
from accounts.services.sessions import find_live_session
from accounts.tokens import OnboardingToken, SecondFactorToken, password_mark


class InvalidToken(AuthenticationFailed):
    default_code = "token_not_valid"
    default_detail = _("Please sign in again.")


def _read_token(raw: str, kind: type[Token]) -> Token:
    try:
        return kind(raw)  # type: ignore[arg-type]
    except TokenError as error:
        raise InvalidToken from error


def session_of_access_token(raw: str) -> DeviceSession:
    """The live session an access token belongs to; raises `InvalidToken`."""
    token = _read_token(raw, AccessToken)
    try:
        session = find_live_session(UUID(token["sid"]))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InvalidToken from error
    if session is None or str(session.user_id) != token.get("sub"):
        raise InvalidToken
    return session


def pending_of_token(raw: str) -> PendingSignIn:
    """The sign-in whose second step a token in a body opens; raises `SignInLapsed`."""
    try:
        token = _read_token(raw, SecondFactorToken)
        return find_pending(UUID(token["pid"]))
    except (InvalidToken, KeyError, ValueError, TypeError, AttributeError) as error:
        raise SignInLapsed from error


class _HeaderAuthentication(BaseAuthentication):
    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    def raw_token(self, request: Request) -> str | None:
        """The token of `Authorization: Bearer …`; None when the header is absent."""
        parts = get_authorization_header(request).split()
        if not parts:
            return None
        if len(parts) != 2 or parts[0].lower() != b"bearer":
            raise InvalidToken
        try:
            return parts[1].decode("ascii")
        except UnicodeDecodeError as error:
            raise InvalidToken from error


class BearerAuthentication(_HeaderAuthentication):
    """`request.user` is the session's user, `request.auth` the session."""

    def authenticate(self, request: Request) -> tuple[User, DeviceSession] | None:
        raw = self.raw_token(request)
        if raw is None:
            return None
        session = session_of_access_token(raw)
        _name_actor(session.user)
        return session.user, session


class OnboardingAuthentication(_HeaderAuthentication):
    """For step 4 of registration alone, until the password is another."""

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        raw = self.raw_token(request)
        if raw is None:
            return None
        token = _read_token(raw, OnboardingToken)
        user = User.objects.filter(pk=token.get("sub")).first()
        if user is None or not user.may_sign_in or token.get("pwd") != password_mark(user):
            raise InvalidToken
        return user, token


def _name_actor(user: User) -> None:
    """Tell both logs who acts: their middleware has run before the token was read."""
    structlog.contextvars.bind_contextvars(user_id=str(user.pk))
    context: dict[str, Any] | None = auditlog_value.get(None)
    if context is not None:
        context["actor"] = user
