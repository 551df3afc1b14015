"""The channel layer: groups of sockets, over what Redis calls publish and subscribe.

It does what the one of channels_redis does, and what live delivery needs besides: whoever has
joined a group hears all that is published from then on; what waits for a slow socket is bounded;
sockets learn that announcements may have been lost, so that they can ask; and code outside an
event loop publishes without one. Only groups cross Redis: a socket's own channel is a queue in
its process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
import time
import weakref
from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import orjson
import redis
import redis.asyncio
from channels.layers import BaseChannelLayer
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from common.renderers import dumps

logger = logging.getLogger(__name__)

# What may wait for a socket; one that falls further behind is dropped.
MOST_WAITING = 256
# How long Redis may take to confirm that a group is heard, before one goes on without.
CONFIRM_SECONDS = 0.5
# Redis says nothing for so long, and then does not answer a ping for as long: it is gone.
QUIET_SECONDS = 5
MOST_NAMES = 500
# Over how long the sockets of a process are spread when all of them have to ask at once.
SPREAD_SECONDS = 3.0
# After a failure, announcements are not tried for so long: one request waits for Redis once.
SILENT_SECONDS = 1.0

Event = dict[str, Any]
REDIS_AWAY = (redis.RedisError, OSError)


class LiveLayer(BaseChannelLayer):
    """One for each process; each event loop in it has a `Listener` of its own."""

    extensions = ("groups",)

    def __init__(self, url: str, prefix: str = "medisync", timeout: float = 0.5) -> None:
        super().__init__(capacity=MOST_WAITING)
        self.url, self.prefix = url, prefix
        self.options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "protocol": 2,
        }
        self.listeners: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Listener] = (
            weakref.WeakKeyDictionary()
        )
        self.lock = threading.Lock()
        self.publisher: redis.Redis | None = None
        self.silent_until = 0.0

    def publish(self, messages: Iterable[tuple[str, Event]]) -> None:
        """From code without an event loop, to several groups in one round trip. Raises when Redis
        is away, at once where it was a moment ago."""
        if time.monotonic() < self.silent_until:
            raise redis.ConnectionError("Redis was away a moment ago.")
        pipeline = self._publisher().pipeline(transaction=False)
        for group, message in messages:
            pipeline.publish(self.name_of(group), dumps(message))
        try:
            pipeline.execute()
        except REDIS_AWAY:
            self.silent_until = time.monotonic() + SILENT_SECONDS
            raise

    def _publisher(self) -> redis.Redis:
        """Shared by all threads; a forked process opens connections of its own."""
        with self.lock:
            if self.publisher is None:
                retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
                self.publisher = redis.Redis.from_url(self.url, retry=retry, **self.options)
            return self.publisher

    def name_of(self, group: str) -> str:
        return f"{self.prefix}:live:{group}"

    def listener(self) -> Listener:
        loop = asyncio.get_running_loop()
        found = self.listeners.get(loop)
        if found is None:
            found = self.listeners[loop] = Listener(self)
        return found

    async def new_channel(self, prefix: str = "socket") -> str:
        return self.listener().open_channel(f"{prefix}.{uuid4().hex}")

    async def receive(self, channel: str) -> Event:
        return await self.listener().channels[channel].get()

    def waiting(self, channel: str) -> list[Event]:
        """What has come since, taken out of the queue."""
        queue = self.listener().channels[channel]
        return [queue.get_nowait() for _ in range(queue.qsize())]

    async def send(self, channel: str, message: Event) -> None:
        self.put(channel, message)

    def put(self, channel: str, message: Event) -> None:
        """The same for who cannot wait, and need not: to a socket of this event loop."""
        self.listener().put(channel, message)

    def release(self, channel: str) -> None:
        """A socket has gone."""
        self.listener().close_channel(channel)

    async def group_add(self, group: str, channel: str) -> None:
        """What is published once this returns is heard, unless Redis is away."""
        await self.listener().join(self.name_of(group), channel)

    async def group_discard(self, group: str, channel: str) -> None:
        self.listener().leave(self.name_of(group), channel)

    async def group_send(self, group: str, message: Event) -> None:
        await self.listener().redis.publish(self.name_of(group), dumps(message))


class Listener:
    """The ear of one event loop: a connection that follows the groups of its sockets."""

    def __init__(self, layer: LiveLayer) -> None:
        retry = AsyncRetry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            layer.url, retry=retry, max_connections=8, timeout=CONFIRM_SECONDS, **layer.options
        )
        self.redis = redis.asyncio.Redis(connection_pool=pool)
        self.channels: dict[str, asyncio.Queue[Event]] = {}
        self.groups: dict[str, set[str]] = {}
        self.joined: dict[str, set[str]] = {}
        # What Redis was asked to tell us of, and how many answers it owes about each group.
        self.asked: set[str] = set()
        self.owed: Counter[str] = Counter()
        self.awaited: dict[str, asyncio.Future[None]] = {}
        self.changed: set[str] = set()
        self.wake = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def open_channel(self, channel: str) -> str:
        self.channels[channel] = asyncio.Queue(MOST_WAITING)
        self.joined[channel] = set()
        if self.task is None:
            self.task = asyncio.ensure_future(self._run())
        return channel

    def close_channel(self, channel: str) -> None:
        for name in self.joined.pop(channel, ()):
            self._leave(name, channel)
        self.channels.pop(channel, None)

    async def join(self, name: str, channel: str) -> None:
        self.joined[channel].add(name)
        members = self.groups.setdefault(name, set())
        members.add(channel)
        if self._is_heard(name):
            return
        self._change(name)
        heard = self.awaited.get(name)
        if heard is None:
            heard = self.awaited[name] = asyncio.get_running_loop().create_future()
        await asyncio.wait([heard], timeout=CONFIRM_SECONDS)

    def leave(self, name: str, channel: str) -> None:
        self.joined.get(channel, set()).discard(name)
        self._leave(name, channel)

    def _leave(self, name: str, channel: str) -> None:
        members = self.groups.get(name, set())
        members.discard(channel)
        if not members and self.groups.pop(name, None) is not None:
            self.awaited.pop(name, None)
            self._change(name)

    def _is_heard(self, name: str) -> bool:
        return name in self.asked and not self.owed[name]

    def _change(self, name: str) -> None:
        self.changed.add(name)
        self.wake.set()

    def put(self, channel: str, event: Event) -> None:
        """Never waits: a socket that does not keep up loses what waits, and is told to end."""
        queue = self.channels.get(channel)
        if queue is None:
            return
        if queue.full():
            while not queue.empty():
                queue.get_nowait()
            event = {"type": "fell.behind"}
        queue.put_nowait(event)

    async def _run(self) -> None:
        """Connect, and connect again, for as long as the loop runs."""
        is_first = True
        while True:
            connection = self.redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
            try:
                await connection.connect()
                self._begin(is_first=is_first)
                is_first = False
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._ask(connection))
                    tasks.create_task(self._hear(connection))
            except* (*REDIS_AWAY, ValueError) as errors:
                logger.warning("Redis is away: %s", errors.exceptions[0])
            finally:
                with contextlib.suppress(*REDIS_AWAY):
                    await connection.disconnect(nowait=True)
            await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311

    def _begin(self, *, is_first: bool) -> None:
        """Nothing is heard yet. What was said meanwhile may be lost, so each socket asks."""
        self.asked.clear()
        self.owed.clear()
        self.changed = {*self.groups}
        self.wake.set()
        loop = asyncio.get_running_loop()
        for channel in () if is_first else [*self.channels]:
            # Behind the first answers of Redis, and not all at once.
            after = 0.2 + random.uniform(0, SPREAD_SECONDS)  # noqa: S311
            loop.call_later(after, self.put, channel, {"type": "look.again"})

    async def _ask(self, connection: Any) -> None:
        """Keep what Redis tells us of at what our sockets have joined."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            changed, self.changed = self.changed, set()
            wanted = {name for name in changed if name in self.groups}
            await self._command(connection, "SUBSCRIBE", wanted - self.asked)
            await self._command(connection, "UNSUBSCRIBE", (changed - wanted) & self.asked)

    async def _command(self, connection: Any, word: str, names: set[str]) -> None:
        listed = [*names]
        for start in range(0, len(listed), MOST_NAMES):
            some = listed[start : start + MOST_NAMES]
            self.owed.update(some)
            if word == "SUBSCRIBE":
                self.asked.update(some)
            else:
                self.asked.difference_update(some)
            await connection.send_command(word, *some, check_health=False)

    async def _hear(self, connection: Any) -> None:
        is_pinged = False
        while True:
            answer = await connection.read_response(disable_decoding=True, timeout=QUIET_SECONDS)
            if answer is not None:
                is_pinged = False
                self._take(answer)
            elif is_pinged:
                raise redis.TimeoutError("It does not answer.")
            else:
                is_pinged = True
                await connection.send_command("PING", check_health=False)

    def _take(self, answer: list[bytes]) -> None:
        if answer[0] == b"message":
            event = orjson.loads(answer[2])
            for channel in [*self.groups.get(answer[1].decode(), ())]:
                self.put(channel, event)
        elif answer[0] in {b"subscribe", b"unsubscribe"}:
            self._confirm(answer[1].decode())

    def _confirm(self, name: str) -> None:
        self.owed[name] -= 1
        if self.owed[name] > 0:
            return
        del self.owed[name]
        if name in self.asked and (heard := self.awaited.pop(name, None)):
            heard.set_result(None)
