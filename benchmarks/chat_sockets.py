"""Messages delivered, beside a bare echo on the same server program: see README.md.

python benchmarks/chat_sockets.py [ROUNDS]

Pairs write to each other, two messages of each person on the way at any time. Of a chat a message
counts as delivered when the other side has it, of the echo when it is back. The two take turns,
each round with people of its own, since a person may say sixty things a minute.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from typing import Any
from uuid import uuid4

import chat_stage as stage
from websockets.asyncio.client import ClientConnection, connect

PAIRS = 32
MESSAGES = 50
ON_THE_WAY = 2


class Round:
    def __init__(self, url: str) -> None:
        self.url = url
        self.sent: dict[str, float] = {}
        self.took: list[float] = []

    async def open(self, token: str) -> ClientConnection:
        return await connect(
            self.url, subprotocols=["medisync.v1", f"bearer.{token}"], compression=None,
            open_timeout=60,
        )  # fmt: skip

    def has_come(self, client_id: str) -> None:
        self.took.append(time.perf_counter() - self.sent[client_id])

    async def rate(self, acts: list[Any]) -> tuple[float, float]:
        """Delivered a second, and the 99th percentile of the time it took, in ms."""
        begun = time.perf_counter()
        await asyncio.gather(*acts)
        seconds = time.perf_counter() - begun
        return len(self.took) / seconds, 1000 * stage.percentile(self.took, 0.99)


async def echo(url: str) -> tuple[float, float]:
    round_ = Round(url)
    sockets = [await round_.open("x") for _ in range(2 * PAIRS)]

    async def talk(socket: ClientConnection) -> None:
        async def say() -> None:
            client_id = str(uuid4())
            round_.sent[client_id] = time.perf_counter()
            await socket.send(speech("x", client_id))

        for _ in range(ON_THE_WAY):
            await say()
        for number in range(10 * MESSAGES):
            round_.has_come(json.loads(await socket.recv())["client_id"])
            if number < 10 * MESSAGES - ON_THE_WAY:
                await say()

    result = await round_.rate([talk(socket) for socket in sockets])
    for socket in sockets:
        await socket.close()
    return result


class Voice:
    """One of a pair."""

    def __init__(self, round_: Round, chat_id: str, socket: ClientConnection) -> None:
        self.round, self.chat_id, self.socket = round_, chat_id, socket
        self.mine: set[str] = set()
        self.kept = self.heard = 0

    async def join(self) -> None:
        await self.socket.send(json.dumps({"type": "chat.join", "chat_id": self.chat_id}))
        while json.loads(await self.socket.recv())["type"] != "chat.joined":
            pass

    async def say(self) -> None:
        client_id = str(uuid4())
        self.mine.add(client_id)
        self.round.sent[client_id] = time.perf_counter()
        await self.socket.send(speech(self.chat_id, client_id))

    async def talk(self) -> None:
        for _ in range(ON_THE_WAY):
            await self.say()
        while self.heard < MESSAGES or self.kept < MESSAGES:
            await self.take(json.loads(await self.socket.recv()))

    async def take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "error":
            raise SystemExit(frame)
        if frame["type"] == "chat.sent":
            self.kept += 1
            if len(self.mine) < MESSAGES:
                await self.say()
        elif frame["type"] == "chat.message" and frame["client_id"] not in self.mine:
            self.heard += 1
            self.round.has_come(frame["client_id"])


async def chat(url: str, people: list[tuple[str, str, str]]) -> tuple[float, float]:
    round_ = Round(url)
    voices = [
        Voice(round_, chat_id, await round_.open(key)) for chat_id, *keys in people for key in keys
    ]
    for voice in voices:
        await voice.join()
    result = await round_.rate([voice.talk() for voice in voices])
    for voice in voices:
        await voice.socket.close()
    return result


def speech(chat_id: str, client_id: str) -> str:
    words = {"chat_id": chat_id, "client_id": client_id, "content": "Good morning, Doctor"}
    return json.dumps({"type": "chat.send"} | words)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    crowd = stage.pairs(PAIRS * (rounds + 1))
    _web, web = stage.serve("-m", "medisync.server")
    _bare, bare = stage.serve("benchmarks/chat_echo.py", path="/")
    asyncio.run(chat(web, crowd[:PAIRS]))  # warm
    found = []
    for number in range(1, rounds + 1):
        ours = asyncio.run(chat(web, crowd[PAIRS * number : PAIRS * (number + 1)]))
        found.append((ours, asyncio.run(echo(bare))))
        for name, (rate, p99) in zip(("chat", "echo"), found[-1], strict=True):
            print(f"round {number}: {name} {rate:.0f}/s, p99 {p99:.0f} ms", flush=True)
    rates = statistics.median(ours[0] / echo_[0] for ours, echo_ in found)
    slower = statistics.median(ours[1] / echo_[1] for ours, echo_ in found)
    print(f"median ratio of rates {rates:.3f}, of p99 {slower:.1f}")


if __name__ == "__main__":
    try:
        main()
    finally:
        stage.clean_up()
