"""Who is on a socket: a browser by its cookie and origin, an app by a bearer subprotocol.

A token never travels in the URL, where logs would keep it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.utils.module_loading import import_string

from accounts.authentication import InvalidToken, session_of_access_token
from accounts.middleware import SESSION_KEY
from accounts.models import DeviceSession
from accounts.services.sessions import find_live_session
from common.middleware import is_session_key
from common.threads import in_database

PROTOCOL = "medisync.v1"
BEARER_PREFIX = "bearer."


@in_database
def session_of_socket(scope: dict[str, Any]) -> DeviceSession | None:
    """The live device session behind a connecting socket, or None."""
    protocols = scope.get("subprotocols", [])
    if PROTOCOL in protocols:
        return _by_bearer(protocols)
    return _by_cookie(scope) if _is_own_origin(scope) else None


@in_database
def is_live(session_id: UUID) -> bool:
    """Whether a socket's session still stands."""
    return find_live_session(session_id) is not None


def _by_bearer(protocols: list[str]) -> DeviceSession | None:
    for protocol in protocols:
        if protocol.startswith(BEARER_PREFIX):
            try:
                return session_of_access_token(protocol.removeprefix(BEARER_PREFIX))
            except InvalidToken:
                return None
    return None


def _by_cookie(scope: dict[str, Any]) -> DeviceSession | None:
    cookies = parse_cookie(_header(scope, b"cookie"))
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    if not is_session_key(key or ""):
        return None
    store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(key)
    session_id = store.get(SESSION_KEY)
    return find_live_session(UUID(session_id)) if session_id else None


def _is_own_origin(scope: dict[str, Any]) -> bool:
    """A page of this very host; without the check any site could open a visitor's socket."""
    try:
        origin = urlsplit(_header(scope, b"origin"))
    except ValueError:
        return False
    return bool(origin.netloc) and origin.netloc == _host(scope)


def _host(scope: dict[str, Any]) -> str:
    request = HttpRequest()
    request.META = {"HTTP_HOST": _header(scope, b"host")}
    return request.get_host()


def _header(scope: dict[str, Any], name: bytes) -> str:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    return headers.get(name, b"").decode("latin-1")
