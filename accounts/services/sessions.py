"""Signing in, staying in, signing out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.device_names import name_device
from accounts.models import DeviceSession, PasswordReset, SignInMethod, User
from accounts.tokens import token_pair
from common import crypto
from common.errors import DomainError
from common.live import announce, session_group
from notifications.services import notify
from notifications.wording import Kind

SEEN_EVERY = dt.timedelta(minutes=5)


class SessionEnded(DomainError):
    code = "session_ended"
    detail = _("You have been signed out. Please sign in again.")
    status_code = 401


class InvalidRefreshToken(DomainError):
    code = "token_not_valid"
    detail = _("Please sign in again.")
    status_code = 401


@dataclass(frozen=True, slots=True)
class Device:
    """Where a sign-in comes from; `key` is the secret it is known again by, if it keeps one."""

    ip_address: str
    user_agent: str = ""
    name: str = ""
    key: str = field(default="", repr=False)

    @property
    def digest(self) -> str:
        return crypto.digest(self.key) if self.key else ""


@transaction.atomic
def open_session(
    *, user: User, method: SignInMethod, device: Device, factor: str = ""
) -> DeviceSession:
    """Sign a user in on a device, and tell them if it is one they have not used before."""
    now = timezone.now()
    is_new = _is_new_device(user, device)
    user.last_login = now
    user.save(update_fields=["last_login"])
    session = DeviceSession.objects.create(
        user=user,
        method=method,
        factor=factor,
        device_name=device.name[:100],
        user_agent=device.user_agent[:300],
        ip_address=device.ip_address,
        device_digest=device.digest,
        last_seen_at=now,
        confirmed_at=now,
        rotated_at=now,
        expires_at=now + DeviceSession.LASTS,
    )
    if is_new:
        notify(
            recipient=user,
            kind=Kind.NEW_DEVICE,
            url="/sessions",
            context={"device": name_device(device.user_agent) or device.name or device.ip_address},
        )
    return session


def is_known_device(email: str, device: Device) -> bool:
    """Whether the account of an e-mail address has been signed in to on this very device, and
    the device was not shown out since; or its mailbox was proved there a short while ago."""
    if not device.digest:
        return False
    return _was_used(email, device) or _has_proved_mailbox(email, device)


def _was_used(email: str, device: Device) -> bool:
    sessions = DeviceSession.objects.filter(user__email=email, device_digest=device.digest)
    ended = sessions.order_by("-pk").values_list("revoked_reason", flat=True).first()
    return ended in {"", DeviceSession.SIGNED_OUT}


def _has_proved_mailbox(email: str, device: Device) -> bool:
    """Its last password was chosen there, by a mail to its address."""
    done = PasswordReset.objects.done_on(device.digest, timezone.now())
    return done.filter(user__email=email).exists()


def known_devices(email: str) -> set[str]:
    """The digests of the devices that have, or had, a count of their own for the account of an
    e-mail address."""
    signed_in = DeviceSession.objects.filter(user__email=email).order_by()
    proved = PasswordReset.objects.filter(user__email=email)
    digests = signed_in.values_list("device_digest", flat=True).union(
        proved.values_list("device_digest", flat=True)
    )
    return set(digests) - {""}


def _is_new_device(user: User, device: Device) -> bool:
    """One that nobody has signed in on, whatever was proved there. The first of all is no news."""
    has_signed_in = DeviceSession.objects.filter(user=user).exists()
    return has_signed_in and not (device.digest and _was_used(user.email, device))


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


def sign_out(*, session: DeviceSession) -> None:
    """Leave; the device will be known again."""
    revoke_session(actor=session.user, session_id=session.pk, reason=DeviceSession.SIGNED_OUT)


@transaction.atomic
def revoke_session(*, actor: Any, session_id: UUID, reason: str = "shown_out") -> None:
    """End one of the actor's sessions: its tokens, its cookie and its open sockets. Its device
    is a stranger from then on, unless its person left by themselves."""
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


def hold_account(session: DeviceSession) -> User:
    """The row of the session's user, held until the caller's transaction ends.

    A session that ended while this waited, say because its owner chose another password, changes
    nothing any more. Raises `SessionEnded`.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=session.user_id)
    if not DeviceSession.objects.live(timezone.now()).filter(pk=session.pk).exists():
        raise SessionEnded
    return user


@transaction.atomic
def revoke_other_sessions(*, session: DeviceSession, reason: str = "shown_out") -> int:
    """Sign out everywhere else; returns on how many devices."""
    return end_sessions(session.user, reason=reason, keep=session)


def end_sessions(user: User, *, reason: str, keep: DeviceSession | None = None) -> int:
    """End every session of a user but the one kept; returns how many. A device that had only
    proved the mailbox is a stranger, too. Part of the caller's transaction."""
    PasswordReset.objects.filter(user=user).exclude(device_digest="").update(device_digest="")
    now = timezone.now()
    live = DeviceSession.objects.live(now).filter(user=user).exclude(pk=keep.pk if keep else None)
    sessions = list(live.select_for_update(no_key=True).order_by("pk"))
    for session in sessions:
        _revoke(session, reason=reason, now=now)
    return len(sessions)


def _revoke(session: DeviceSession, *, reason: str, now: dt.datetime) -> None:
    session.revoked_at, session.revoked_reason = now, reason
    session.save(update_fields=["revoked_at", "revoked_reason"])
    announce(session_group(session.pk), {"type": "session.ended"})


def find_live_session(session_id: UUID) -> DeviceSession | None:
    """The session with its user, if it still stands and its user may sign in.

    Every request of either door asks this, so ending a session works at the next one.
    """
    now = timezone.now()
    try:
        session = DeviceSession.objects.live(now).select_related("user").get(pk=session_id)
    except DeviceSession.DoesNotExist:
        return None
    if not session.user.may_sign_in:
        return None
    if session.last_seen_at < now - SEEN_EVERY:
        DeviceSession.objects.filter(pk=session.pk).update(last_seen_at=now)
    return session
