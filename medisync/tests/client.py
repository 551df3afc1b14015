"""Clients that are signed in the way real ones are."""

from __future__ import annotations

from django.conf import settings
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.middleware import SESSION_KEY
from accounts.models import DeviceSession, Factor, SignInMethod, User
from accounts.services.sessions import Device, open_session
from accounts.tokens import token_pair


def sign_in(user: User, *, factor: str | None = None) -> DeviceSession:
    """A session just begun, on the one device its person has. Administrators, and whoever has a
    second factor, show one unless told otherwise."""
    has_one = user.is_admin or user.has_second_factor
    shown = (Factor.TOTP if has_one else "") if factor is None else factor
    return open_session(
        user=user,
        method=SignInMethod.PASSWORD,
        device=Device(ip_address="127.0.0.1", key=f"the device of {user.pk}"),
        factor=shown,
    )


def api_client(user: User | None = None, *, factor: str | None = None) -> APIClient:
    """An app: a bearer token of a fresh device session, or nobody."""
    client = APIClient()
    if user is not None:
        pair = token_pair(sign_in(user, factor=factor), now=timezone.now())
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access_token']}")
    return client


def page_client(user: User | None = None, *, factor: str | None = None) -> Client:
    """A browser: a cookie of a fresh device session, or nobody."""
    client = Client()
    if user is not None:
        session = client.session
        session[SESSION_KEY] = str(sign_in(user, factor=factor).pk)
        session.save()
        client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key or ""
    return client
