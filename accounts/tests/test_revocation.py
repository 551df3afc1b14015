"""Ending a session at one server stops it at another: token, cookie and open socket, within a
second."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import websocket
from django.conf import settings
from django.utils import timezone

from accounts.middleware import SESSION_KEY
from accounts.models import DeviceSession, User
from accounts.tokens import token_pair
from common import close_codes
from medisync.tests.client import page_client, sign_in
from medisync.tests.servers import web_server

pytestmark = [pytest.mark.alone, pytest.mark.django_db(transaction=True)]
PROFILE = "/api/v1/users/profile"
# What is measured must be below the first; the second only ends a test that would fail.
SECOND = 1.0
PATIENCE = 20.0


@pytest.fixture(scope="module")
def servers(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[str, str]]:
    """Two processes that share nothing but PostgreSQL and Redis."""
    with django_db_blocker.unblock(), web_server() as here, web_server() as there:
        yield here, there


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def ask(address: str, *, method: str = "GET", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(address, method=method, headers=named)
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


def bearer(session: DeviceSession) -> str:
    return str(token_pair(session, now=timezone.now())["access_token"])


def cookie_of(user: User) -> tuple[DeviceSession, str]:
    browser = page_client(user)
    session = DeviceSession.objects.get(pk=browser.session[SESSION_KEY])
    name = settings.SESSION_COOKIE_NAME
    return session, f"{name}={browser.cookies[name].value}"


def seconds_until(is_stopped: Callable[[], bool], since: float) -> float:
    while not is_stopped():
        assert time.monotonic() < since + PATIENCE, "It was never stopped."
        time.sleep(0.01)
    return time.monotonic() - since


def end(server: str, session: DeviceSession, *, by: User) -> float:
    """Over the API of one server, from another device of theirs; returns when it was done."""
    address = f"{server}/api/v1/auth/sessions/{session.pk}"
    assert ask(address, method="DELETE", Authorization=f"Bearer {bearer(sign_in(by))}") == 204
    return time.monotonic()


def test_token_stops_at_the_other_server(servers: tuple[str, str], patient: User) -> None:
    here, there = servers
    session = sign_in(patient)
    token = f"Bearer {bearer(session)}"
    assert ask(there + PROFILE, Authorization=token) == 200

    ended_at = end(here, session, by=patient)
    took = seconds_until(lambda: ask(there + PROFILE, Authorization=token) == 401, ended_at)

    assert took < SECOND


def test_cookie_stops_at_the_other_server(servers: tuple[str, str], patient: User) -> None:
    here, there = servers
    session, cookie = cookie_of(patient)
    assert ask(f"{there}/profile", Cookie=cookie) == 200

    ended_at = end(here, session, by=patient)
    took = seconds_until(lambda: ask(f"{there}/profile", Cookie=cookie) == 302, ended_at)

    assert took < SECOND


@pytest.mark.parametrize("door", ["app", "browser"])
def test_open_socket_is_closed_at_the_other_server(
    servers: tuple[str, str], patient: User, door: str
) -> None:
    here, there = servers
    if door == "app":
        session = sign_in(patient)
        options: dict[str, Any] = {
            "subprotocols": ["medisync.v1", f"bearer.{bearer(session)}"],
            "suppress_origin": True,
        }
    else:
        session, cookie = cookie_of(patient)
        options = {"cookie": cookie, "origin": there}
    socket = websocket.create_connection(
        there.replace("http:", "ws:") + "/ws", timeout=PATIENCE, **options
    )
    socket.send('{"type": "ping"}')
    assert "pong" in socket.recv()
    closed: list[tuple[int, float]] = []
    reading = threading.Thread(target=lambda: closed.append(_read_close(socket)))
    reading.start()

    ended_at = end(here, session, by=patient)

    reading.join(PATIENCE)
    socket.shutdown()
    ((code, closed_at),) = closed
    assert code == close_codes.REVOKED
    assert closed_at - ended_at < SECOND


def _read_close(socket: websocket.WebSocket) -> tuple[int, float]:
    """Reads on until the server closes: its reason, and when."""
    while True:
        opcode, data = socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(data[:2], "big"), time.monotonic()
