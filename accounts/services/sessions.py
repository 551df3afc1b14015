"""Signing in, staying in, signing out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.models import DeviceSession, User
from accounts.tokens import token_pair
from common.errors import DomainError, NotAllowed
from common.live import announce, session_group

SEEN_EVERY = dt.timedelta(minutes=5)


class InvalidCredentials(DomainError):
    code = "invalid_credentials"
    detail = _("The e-mail address or the password is not right.")
    status_code = 401


class AccountClosed(NotAllowed):
    code = "account_closed"
    detail = _("This account has been deactivated. Please write to us if you think it should not.")


class InvalidRefreshToken(DomainError):
    code = "token_not_valid"
    detail = _("Please sign in again.")
    status_code = 401


@dataclass(frozen=True, slots=True)
class Device:
    """Where a sign-in comes from."""

    ip_address: str
    user_agent: str = ""
    name: str = ""


def authenticate(*, email: str, password: str) -> User:
    """The user of these credentials. An unknown address costs as much time as a known one,
    and is answered in the same words."""
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        make_password(password)
        raise InvalidCredentials
    if not user.check_password(password):
        raise InvalidCredentials
    if not user.may_sign_in:
        raise AccountClosed
    return user


@transaction.atomic
def open_session(*, user: User, method: DeviceSession.Method, device: Device) -> DeviceSession:
    """Sign a user in on a device."""
    now = timezone.now()
    user.last_login = now
    user.save(update_fields=["last_login"])
    return DeviceSession.objects.create(
        user=user,
        method=method,
        device_name=device.name[:100],
        user_agent=device.user_agent[:300],
        ip_address=device.ip_address,
        last_seen_at=now,
        rotated_at=now,
        expires_at=now + DeviceSession.LASTS,
    )


def refresh_session(*, refresh_token: str) -> tuple[DeviceSession, dict[str, Any]]:
    """Trade a refresh token for the next pair.

    A token already traded means that two parties hold it: the whole session ends. Within ten
    seconds of the trade it is taken for a retry and gets the current pair once more.
    """
    try:
        claims = RefreshToken(refresh_token)  # type: ignore[arg-type]
        session_id, refresh_id = UUID(claims["sid"]), UUID(claims["jti"])
    except (TokenError, KeyError, ValueError, TypeError) as error:
        raise InvalidRefreshToken from error
    now = timezone.now()
    with transaction.atomic():
        session = (
            DeviceSession.objects.live(now)
            .select_for_update(of=("self",), no_key=True)
            .select_related("user")
            .filter(pk=session_id)
            .first()
        )
        if session is None or not session.user.may_sign_in:
            raise InvalidRefreshToken
        is_good = _rotate(session, refresh_id, now=now)
    if not is_good:
        raise InvalidRefreshToken
    return session, token_pair(session, now=now)


def _rotate(session: DeviceSession, refresh_id: UUID, *, now: dt.datetime) -> bool:
    if refresh_id == session.refresh_id:
        session.previous_refresh_id, session.refresh_id = session.refresh_id, uuid4()
        session.rotated_at = session.last_seen_at = now
        session.expires_at = now + DeviceSession.LASTS
        session.save(
            update_fields=[
                "previous_refresh_id", "refresh_id", "rotated_at", "last_seen_at", "expires_at",
            ]
        )  # fmt: skip
        return True
    is_retry = refresh_id == session.previous_refresh_id
    if is_retry and now < session.rotated_at + DeviceSession.REFRESH_GRACE:
        return True
    _revoke(session, reason="refresh_token_reused", now=now)
    return False


@transaction.atomic
def revoke_session(*, actor: Any, session_id: UUID, reason: str = "signed_out") -> None:
    """End one of the actor's sessions: its tokens, its cookie and its open sockets."""
    now = timezone.now()
    session = (
        DeviceSession.objects.visible_to(actor)
        .live(now)
        .select_for_update(no_key=True)
        .filter(pk=session_id)
        .first()
    )
    if session is None:
        raise Http404
    _revoke(session, reason=reason, now=now)


def _revoke(session: DeviceSession, *, reason: str, now: dt.datetime) -> None:
    session.revoked_at, session.revoked_reason = now, reason
    session.save(update_fields=["revoked_at", "revoked_reason"])
    announce(session_group(session.pk), {"type": "access.revoked"})


def find_live_session(session_id: UUID) -> DeviceSession | None:
    """The session with its user, if it still stands and its user may sign in.

    Every request of either door asks this, so ending a session works at the next one.
    """
    now = timezone.now()
    session = DeviceSession.objects.live(now).select_related("user").filter(pk=session_id).first()
    if session is None or not session.user.may_sign_in:
        return None
    if session.last_seen_at < now - SEEN_EVERY:
        DeviceSession.objects.filter(pk=session.pk).update(last_seen_at=now)
    return session
