"""A client's end of the socket, with a little patience."""

from __future__ import annotations

import functools
import json
import time
from typing import Any

import websocket
import yaml
from django.conf import settings
from django.utils import timezone
from jsonschema import Draft7Validator

from accounts.models import DeviceSession, User
from accounts.tokens import token_pair
from medisync.tests.client import sign_in

DOCUMENT: dict[str, Any] = yaml.safe_load(
    (settings.BASE_DIR / "docs" / "asyncapi.yaml").read_text()
)


@functools.cache
def validator_of(name: str) -> Draft7Validator:
    """Of a frame that the server sends; with `ask.` before it, of one that a client sends."""
    schemas = DOCUMENT["components"]["schemas"]
    assert name in schemas, f"{name} is not documented"
    return Draft7Validator({"$ref": f"#/components/schemas/{name}"} | DOCUMENT)


class Socket:
    def __init__(self, url: str, **options: Any) -> None:
        self.raw = websocket.create_connection(url, timeout=30, **options)

    def send(self, frame: Any) -> None:
        self.raw.send(frame if isinstance(frame, str) else json.dumps(frame))

    def receive(self) -> dict[str, Any]:
        """Whatever comes is as the AsyncAPI document says."""
        frame = json.loads(self.raw.recv())
        validator_of(frame["type"]).validate(frame)
        return frame

    def ask(self, frame: Any) -> dict[str, Any]:
        self.send(frame)
        return self.receive()

    def closed_with(self) -> int:
        """Reads on until the server closes, and returns its reason."""
        while True:
            opcode, data = self.raw.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(data[:2], "big")

    def until(self, kind: str, **content: Any) -> dict[str, Any]:
        """Reads on until such a frame comes, and returns it."""
        while True:
            frame = self.receive()
            if frame["type"] == kind and content.items() <= frame.items():
                return frame

    def hang_up(self) -> None:
        """At once, without a word."""
        self.raw.shutdown()

    def answer(self, frame: dict[str, Any], ref: str = "answer") -> dict[str, Any]:
        """What is answered, past all that is announced meanwhile."""
        self.send(frame | {"ref": ref})
        while True:
            got = self.receive()
            if got.get("ref") == ref:
                return got

    def heard(self, seconds: float = 0.0, *, least: int = 0, of: str = "") -> list[dict[str, Any]]:
        """All that was announced up to now, and in so many seconds more: at least so many of a
        kind, however long they take. What was published before the ping is here before its
        answer, as far as Redis has passed it on."""
        frames: list[dict[str, Any]] = []
        while sum(frame["type"] == of for frame in frames) < least:
            frames.append(self.receive())
        time.sleep(seconds)
        self.send({"type": "ping", "ref": "heard"})
        while True:
            frame = self.receive()
            if frame.get("ref") == "heard":
                return frames
            frames.append(frame)


def access_token(session: DeviceSession) -> str:
    return token_pair(session, now=timezone.now())["access_token"]


def bearer(token: str) -> dict[str, Any]:
    return {"subprotocols": ["medisync.v1", f"bearer.{token}"], "suppress_origin": True}


def as_app(user: User) -> dict[str, Any]:
    return bearer(access_token(sign_in(user)))
