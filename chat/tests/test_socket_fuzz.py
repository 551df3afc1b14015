"""Random and mutated frames: each is answered once, nothing breaks, and nothing of others is told.

`FRAMES=10000` sends so many; the suite sends fewer.
"""

from __future__ import annotations

import copy
import json
import os
import random
from typing import Any

import pytest

from accounts.models import User
from chat.models import Chat, Message
from chat.tests.factories import chat_of, say
from chat.tests.sockets import Connect, opened_sockets, two_servers  # noqa: F401 - fixtures
from common.ids import uuid7
from connections.models import Connection
from connections.tests.factories import ConnectionFactory
from medisync.sockets import ClientSocket
from medisync.tests.chance import SEED
from medisync.tests.socket_client import Socket, as_app

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "Nobody else may read this"
# Before it has sent so many a client connects anew: the fiftieth error would close its socket.
MOST_ON_A_SOCKET = 40
NASTY: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**400, 1.5, -0.0, 1e308,
    "", " ", "x", "null", "0", "\x00", "a\x00b", "\ud83d\ude00", "\u202e", "é" * 3000, "٣" * 5001,
    [], [[]], {}, {"type": "ping"}, ["x"] * 50, "__class__", "../..", "%s%n", "' OR 1=1 --",
    "{uuid}", "urn:uuid:00000000-0000-0000-0000-000000000000",
]  # fmt: skip


def wanted_frames() -> int:
    return int(os.environ.get("FRAMES", "300"))


def test_every_frame_is_answered_once_and_tells_nothing_of_others(
    connect: Connect, connection: Connection, patient: User
) -> None:
    mine, theirs = chat_of(connection), chat_of(ConnectionFactory())
    secret = say(theirs, theirs.connection.patient, SECRET)
    before = (secret.chat.last_seq, Message.objects.filter(chat=theirs).count())
    chance = random.Random(SEED)
    ours = templates(mine, say(mine, patient), connection.doctor)
    foreign = templates(theirs, secret, theirs.connection.doctor)
    options, counts = as_app(patient), {"error": 0, "answer": 0}

    for number in range(wanted_frames()):
        if number % MOST_ON_A_SOCKET == 0:
            one = connect(on=chance.randrange(2), **options)
        frame, is_theirs = mutated(chance, ours, foreign)
        answers = exchange(one, frame, number)
        errors = [answer for answer in answers if answer["type"] == "error"]
        assert len(errors) <= 1 <= len(answers), (SEED, number, frame, answers)
        assert SECRET not in json.dumps(answers), (SEED, number, frame)
        if is_theirs:
            assert errors, (SEED, number, frame, answers)
        counts["error" if errors else "answer"] += 1

    print(f"{wanted_frames()} frames (seed {SEED}): {counts}")  # noqa: T201
    theirs.refresh_from_db()
    assert (theirs.last_seq, Message.objects.filter(chat=theirs).count()) == before
    for on in (0, 1):
        assert connect(on=on, **options).answer({"type": "ping"})["type"] == "pong"


def templates(chat: Chat, message: Message, other: User) -> list[dict[str, Any]]:
    """A right frame of each kind."""
    ids = {
        "chat_id": str(chat.pk), "message_id": str(message.pk), "user_id": str(other.pk),
        "patient_id": str(chat.patient_id), "client_id": str(uuid7()), "content": "Hello",
        "seq": 1, "on": True, "after_seq": 0, "prescription_id": str(uuid7()), "ref": "r",
    }  # fmt: skip
    return [{"type": kind} | ids for kind in ClientSocket.handlers]


def mutated(
    chance: random.Random, ours: list[dict[str, Any]], foreign: list[dict[str, Any]]
) -> tuple[str | bytes, bool]:
    """Something to send; and whether it asks, rightly, for what belongs to others."""
    kind = chance.randrange(8)
    if kind == 0:
        return chance.randbytes(chance.randrange(1, 200)), False
    if kind == 1:
        frame = copy.deepcopy(chance.choice(foreign))
        return json.dumps(frame), frame["type"] not in {"ping", "chat.leave", "chart.unwatch"}
    frame = copy.deepcopy(chance.choice(ours))
    for _ in range(chance.randrange(1, 4)):
        mutate(chance, frame)
    text = json.dumps(frame)
    if kind == 2:
        return text[: chance.randrange(len(text))] or "{", False
    if kind == 3:
        raw = bytearray(text.encode())
        for _ in range(chance.randrange(1, 5)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        return bytes(raw), False
    if kind == 4:
        return "[" * chance.randrange(1, 2000) + text, False
    return text, False


def mutate(chance: random.Random, frame: dict[str, Any]) -> None:
    name = chance.choice([*frame, "type", "more"])
    act = chance.randrange(4)
    if act == 0:
        frame.pop(name, None)
    elif act == 1 and isinstance(frame.get(name), str):
        frame[name] = frame[name] + chance.choice(["x", "\x00", " ", "\u0000" * 9, "é"])
    elif act == 2:
        frame[name] = [frame.get(name)]
    else:
        frame[name] = chance.choice(NASTY)


def exchange(one: Socket, frame: str | bytes, number: int) -> list[dict[str, Any]]:
    """What comes back, up to the answer of the ping that follows."""
    if isinstance(frame, bytes):
        one.raw.send_binary(frame)
    else:
        one.raw.send(frame)
    one.send({"type": "ping", "ref": f"after {number}"})
    answers: list[dict[str, Any]] = []
    while (answer := one.receive()).get("ref") != f"after {number}":
        answers.append(answer)
    assert answer["type"] == "pong"
    return answers
