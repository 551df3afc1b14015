"""Sockets of a chat's two people, on one server or on two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from accounts.models import User
from chat.models import Chat
from common.ids import uuid7
from medisync.tests.servers import web_server
from medisync.tests.socket_client import Socket, as_app

Connect = Callable[..., Socket]


@pytest.fixture(scope="module", name="servers")
def two_servers(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[str, str]]:
    """Two server processes."""
    with django_db_blocker.unblock(), web_server() as one, web_server() as other:
        yield one, other


@pytest.fixture(name="connect")
def opened_sockets(servers: tuple[str, str]) -> Iterator[Connect]:
    """Opens a socket of a user, or of a token; `on` is the server's number."""
    opened: list[Socket] = []

    def connect_one(user: User | None = None, *, on: int = 0, **options: Any) -> Socket:
        how = options or as_app(user)
        opened.append(Socket(servers[on].replace("http:", "ws:") + "/ws", **how))
        assert opened[-1].answer({"type": "ping"})["type"] == "pong"
        return opened[-1]

    yield connect_one

    for one in opened:
        one.raw.shutdown()


def join(one: Socket, chat: Chat, after_seq: int | None = None) -> dict[str, Any]:
    return one.answer({"type": "chat.join", "chat_id": str(chat.pk), "after_seq": after_seq})


def speech(chat: Chat, content: str = "Good morning", **more: Any) -> dict[str, Any]:
    """A frame that says something."""
    said = {"chat_id": str(chat.pk), "client_id": str(uuid7()), "content": content}
    return {"type": "chat.send"} | said | more


@contextmanager
def nobody_is_told(settings: Any) -> Iterator[None]:
    """What this process announces meanwhile is lost, as when Redis is away."""
    before = settings.CHANNEL_LAYERS
    nowhere = {"url": "redis://127.0.0.1:9/0"}
    settings.CHANNEL_LAYERS = {"default": before["default"] | {"CONFIG": nowhere}}
    try:
        yield
    finally:
        settings.CHANNEL_LAYERS = before
