"""A client of MediSync's socket, in one file, for Python 3.11 and `pip install websockets`.

    async with Client(["wss://medisync.example/ws"], token=access_token) as client:
        chat = await client.join(chat_id, after_seq=0)
        await client.say(chat_id, "Good morning, Doctor")
        async for entry in chat.follow():
            print(entry["seq"], entry.get("content"))

What a client owes its user, and how little it takes: it remembers the number of the newest entry
that it has, and the words that were not acknowledged. After any loss of the connection it joins
with the first, and sends the second again under the same `client_id`, which is harmless. Frames
are described in `docs/asyncapi.yaml`.
"""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

Frame = dict[str, Any]
Token = str | Callable[[], Awaitable[str]]

PING_SECONDS = 25.0
# An answer that takes longer is not waited for: the connection is made anew.
ANSWER_SECONDS = 15.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 20.0
MOST_BYTES = 2 * 1024 * 1024
# With this session there is no coming back.
NOT_SIGNED_IN, REVOKED = 4401, 4403
# What the server asks to try again.
TRY_AGAIN = {"unavailable", "throttled"}


class SessionOver(Exception):
    """Sign in again."""


class Refused(Exception):
    """The server said no; `code` says why."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame["detail"])
        self.code: str = frame["code"]


class Chat:
    """What a client has of a chat: all entries from the number on at which it began."""

    def __init__(self, chat_id: str, newest: int | None) -> None:
        self.chat_id = chat_id
        self.newest = newest
        self.entries: list[Frame] = []
        self.is_joined = asyncio.Event()
        self.refusal: Refused | None = None
        self.news = asyncio.Event()

    def take(self, entry: Frame) -> bool:
        """Keep the next entry; False for one that is here already, or not next."""
        if self.newest is None or entry["seq"] != self.newest + 1:
            return False
        self.newest = entry["seq"]
        self.entries.append(entry)
        self.news.set()
        return True

    async def follow(self) -> AsyncIterator[Frame]:
        """Every entry, those that are here and those that come."""
        done = 0
        while True:
            while done < len(self.entries):
                yield self.entries[done]
                done += 1
            self.news.clear()
            await self.news.wait()


class Client:
    """Stays connected until it is closed, to whichever of the addresses answers."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        token: Token,
        on_frame: Callable[[Frame], None] = lambda _frame: None,
    ) -> None:
        """`token` is an access token, or what fetches one; `on_frame` sees all that arrives."""
        self.urls, self.token, self.on_frame = list(urls), token, on_frame
        self.chats: dict[str, Chat] = {}
        self.unanswered: dict[str, tuple[Frame, asyncio.Future[Frame]]] = {}
        self.socket: ClientConnection | None = None
        self.connections = 0
        self.pause = SHORTEST_PAUSE
        self.reconnect_after: float | None = None
        self.task: asyncio.Task[None] | None = None
        self.later: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self._stay())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in [*self.later, *([self.task] if self.task else [])]:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def join(self, chat_id: str, after_seq: int | None = None) -> Chat:
        """Hear a chat from here on; with `after_seq`, have all that came after it, too."""
        chat = self.chats[chat_id] = Chat(chat_id, after_seq)
        await self._send(self._joining(chat))
        await chat.is_joined.wait()
        if chat.refusal is not None:
            raise chat.refusal
        return chat

    async def say(self, chat_id: str, content: str, **more: Any) -> Frame:
        """Say something; returns once the server has kept it, however long that takes."""
        client_id = str(uuid.uuid4())
        words = {"chat_id": chat_id, "client_id": client_id, "content": content}
        return await self.ask({"type": "chat.send"} | words | more)

    async def ask(self, frame: Frame) -> Frame:
        """Send a frame until it is answered; raises `Refused`."""
        ref = str(uuid.uuid4())
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self.unanswered[ref] = (frame | {"ref": ref}, answer)
        await self._send(self.unanswered[ref][0])
        try:
            return await answer
        finally:
            self.unanswered.pop(ref, None)

    async def _send(self, frame: Frame) -> None:
        """Lost where there is no connection: the next one begins with it."""
        if self.socket is not None:
            try:
                await self.socket.send(json.dumps(frame))
            except ConnectionClosed:
                return

    async def _stay(self) -> None:
        attempt = random.randrange(len(self.urls))  # noqa: S311 - no secret
        while True:
            try:
                await self._live(self.urls[attempt % len(self.urls)])
            except (OSError, ConnectionClosed, InvalidHandshake, TimeoutError) as error:
                self._give_up_if_over(error)
            finally:
                self.socket = None
            attempt += 1
            await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        """What the server asked for; else longer each time, and never all clients at once."""
        asked, self.reconnect_after = self.reconnect_after, None
        if asked is not None:
            return asked
        pause = random.uniform(self.pause / 2, self.pause)  # noqa: S311 - no secret
        self.pause = min(LONGEST_PAUSE, self.pause * 2)
        return pause

    def _give_up_if_over(self, error: Exception) -> None:
        """A token that was refused is fetched anew where it can be."""
        code = error.rcvd.code if isinstance(error, ConnectionClosed) and error.rcvd else None
        if code == REVOKED or (code == NOT_SIGNED_IN and isinstance(self.token, str)):
            over = SessionOver()
            for _frame, answer in self.unanswered.values():
                if not answer.done():
                    answer.set_exception(over)
            raise over from error

    async def _live(self, url: str) -> None:
        token = self.token if isinstance(self.token, str) else await self.token()
        protocols = [Subprotocol("medisync.v1"), Subprotocol(f"bearer.{token}")]
        async with connect(
            url, subprotocols=protocols, compression=None, max_size=MOST_BYTES,
            open_timeout=ANSWER_SECONDS, close_timeout=1, ping_interval=PING_SECONDS,
        ) as socket:  # fmt: skip
            await socket.send('{"type": "ping"}')
            # Whoever is let in is answered.
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._read(socket)
            self.socket, self.connections = socket, self.connections + 1
            self.pause = SHORTEST_PAUSE
            for chat in self.chats.values():
                await self._send(self._joining(chat))
            for frame, _answer in [*self.unanswered.values()]:
                await self._send(frame)
            await self._listen(socket)

    async def _listen(self, socket: ClientConnection) -> None:
        pinging = asyncio.create_task(self._ping(socket))
        try:
            while True:
                await self._read(socket)
        finally:
            pinging.cancel()

    async def _ping(self, socket: ClientConnection) -> None:
        """It also makes the server look for what it may have failed to announce."""
        while True:
            await asyncio.sleep(PING_SECONDS)
            await socket.send('{"type": "ping"}')

    async def _read(self, socket: ClientConnection) -> None:
        frame: Frame = json.loads(await socket.recv())
        self.on_frame(frame)
        await self._take(frame)

    async def _take(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind == "server.closing":
            self.reconnect_after = frame["reconnect_after"]
        elif kind == "chat.joined":
            await self._take_joined(frame)
        elif kind == "error":
            await self._take_error(frame)
        elif frame.get("ref") in self.unanswered:
            self._answer(frame)
        elif kind in {"chat.message", "chat.retracted"} and frame["chat_id"] in self.chats:
            self.chats[frame["chat_id"]].take(frame)

    async def _take_joined(self, frame: Frame) -> None:
        chat = self.chats.get(frame["chat_id"])
        if chat is None:
            return
        if chat.newest is None:
            chat.newest = frame["last_seq"]
        for entry in frame["missed"]:
            chat.take(entry)
        if frame["has_more"]:
            await self._send(self._joining(chat))
        else:
            chat.is_joined.set()

    async def _take_error(self, frame: Frame) -> None:
        ref = frame.get("ref")
        if frame["code"] in TRY_AGAIN:
            again = asyncio.create_task(self._again(frame.get("retry_after", 1), ref))
            self.later.add(again)
            again.add_done_callback(self.later.discard)
        elif ref in self.unanswered:
            answer = self.unanswered[ref][1]
            if not answer.done():
                answer.set_exception(Refused(frame))
        elif ref in self.chats:
            chat = self.chats.pop(ref)
            chat.refusal = Refused(frame)
            chat.is_joined.set()

    async def _again(self, seconds: float, ref: Any) -> None:
        await asyncio.sleep(seconds * random.uniform(1, 1.5))  # noqa: S311 - no secret
        if ref in self.unanswered:
            await self._send(self.unanswered[ref][0])
        elif ref in self.chats:
            await self._send(self._joining(self.chats[ref]))

    def _answer(self, frame: Frame) -> None:
        answer = self.unanswered[frame["ref"]][1]
        if not answer.done():
            answer.set_result(frame)

    def _joining(self, chat: Chat) -> Frame:
        chat_id = chat.chat_id
        frame: Frame = {"type": "chat.join", "chat_id": chat_id, "ref": chat_id}
        return frame if chat.newest is None else frame | {"after_seq": chat.newest}
