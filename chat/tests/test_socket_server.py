"""How the server ends, and what it does with clients that do not keep up."""

from __future__ import annotations

import asyncio
import socket as sockets
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import websocket

from accounts.models import User
from chat.models import Chat, Message
from chat.tests.factories import chat_of, say
from chat.tests.sockets import (  # noqa: F401 - fixtures
    Connect,
    join,
    opened_sockets,
    speech,
    two_servers,
)
from common import close_codes
from connections.models import Connection
from docs.client.medisync_client import Client
from medisync.server import ABORT_SECONDS, SEND_SECONDS
from medisync.tests.client import sign_in
from medisync.tests.servers import web_process
from medisync.tests.socket_client import Socket, access_token, as_app

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(connection: Connection) -> Chat:
    return chat_of(connection)


def ws(address: str) -> str:
    return address.replace("http:", "ws:") + "/ws"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_server_that_ends_says_when_to_come_back(patient: User, workers: str) -> None:
    with web_process(WEB_CONCURRENCY=workers) as (process, address):
        opened = [Socket(ws(address), **as_app(patient)) for _ in range(6)]
        for one in opened:
            one.answer({"type": "ping"})

        process.terminate()

        waits = [one.until("server.closing")["reconnect_after"] for one in opened]
        codes = [one.closed_with() for one in opened]
        assert process.wait(20) is not None
        for one in opened:
            one.hang_up()

    assert codes == [close_codes.RESTARTING] * 6
    assert all(0.5 <= wait <= 2 for wait in waits)
    assert len(set(waits)) > 1


def test_what_was_asked_before_the_end_is_answered_and_kept(chat: Chat, patient: User) -> None:
    with web_process() as (process, address):
        one = Socket(ws(address), **as_app(patient))
        one.answer({"type": "ping"})
        one.send(speech(chat) | {"ref": "last"})

        process.terminate()

        assert one.until("chat.sent", ref="last")["seq"] == 1
        one.until("server.closing")
        assert one.closed_with() == close_codes.RESTARTING
        one.hang_up()

    assert Message.objects.count() == 1


def test_client_is_handed_over_and_misses_nothing(
    chat: Chat, patient: User, doctor: User, servers: tuple[str, str]
) -> None:
    token = access_token(sign_in(patient))

    async def scene(process: Any, address: str) -> list[int]:
        async with Client([ws(address), ws(servers[0])], token=token) as client:
            heard = await client.join(str(chat.pk), after_seq=0)
            await client.say(str(chat.pk), "Before")
            process.terminate()
            await client.say(str(chat.pk), "Meanwhile")
            await asyncio.to_thread(process.wait, 20)
            await client.say(str(chat.pk), "After")
            async with asyncio.timeout(20):
                async for entry in heard.follow():
                    if entry["seq"] == 3:
                        break
            return [entry["seq"] for entry in heard.entries]

    with web_process() as (process, address):
        seen = asyncio.run(scene(process, address))

    assert seen == [1, 2, 3]
    assert Message.objects.count() == 3


def deaf(address: str, user: User) -> websocket.WebSocket:
    """A client whose own buffer is small, and that will not read."""
    options = as_app(user)
    parts = urlsplit(address)
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.connect((parts.hostname, parts.port))
    one = websocket.WebSocket()
    one.connect(ws(address), socket=raw, timeout=10, **options)
    return one


@pytest.mark.alone
def test_client_that_reads_nothing_is_dropped_and_slows_nobody(
    connect: Connect, servers: tuple[str, str], chat: Chat, patient: User, doctor: User
) -> None:
    for _ in range(50):
        say(chat, patient, "٣" * 5000)
    slow, quick = deaf(servers[0], doctor), connect(doctor)
    join(quick, chat)
    frame = f'{{"type": "chat.join", "chat_id": "{chat.pk}", "after_seq": 0}}'

    # Far more than the buffers between the two of them hold.
    for _ in range(60):
        slow.send(frame)
    begun, waits = time.monotonic(), []
    while not is_lost(slow):
        asked = time.monotonic()
        assert asked < begun + SEND_SECONDS + ABORT_SECONDS + 15, "It was not dropped."
        quick.answer({"type": "ping"})
        waits.append(time.monotonic() - asked)
        time.sleep(0.2)

    slow.shutdown()
    assert time.monotonic() > begun + SEND_SECONDS - 1
    assert max(waits) < SEND_SECONDS / 4


def is_lost(one: websocket.WebSocket) -> bool:
    try:
        one.ping()
    except (OSError, websocket.WebSocketException):
        return True
    return False


def test_server_forgets_sockets_that_have_gone(patient: User) -> None:
    """Neither a task nor a descriptor stays behind."""
    options = as_app(patient)
    with web_process() as (process, address):
        program = psutil.Process(process.pid)
        Socket(ws(address), **options).hang_up()
        before = descriptors(program)
        for _ in range(30):
            one = Socket(ws(address), **options)
            one.answer({"type": "ping"})
            one.hang_up()
        deadline = time.monotonic() + 20
        while descriptors(program) > before + 5 and time.monotonic() < deadline:
            time.sleep(0.5)

        assert descriptors(program) <= before + 5


def descriptors(program: psutil.Process) -> int:
    return len([*Path(f"/proc/{program.pid}/fd").iterdir()])
