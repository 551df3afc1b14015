"""Who is there, and who is writing: kept in Redis, for as long as it is true, and nowhere else.

While Redis is away nothing is known of anybody, which is said so (`None`) and breaks nothing.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Iterable
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from common.layer import REDIS_AWAY

# A socket says so often that it lives; one that has not for so long is dead.
ALIVE_SECONDS = 90
# Between two pages of a browser there is no socket for a moment.
GRACE_SECONDS = 4
# Who writes says so again every few seconds.
TYPING_SECONDS = 6
# How long one waits for a connection to Redis that another uses.
PATIENCE_SECONDS = 0.5

_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = (
    weakref.WeakKeyDictionary()
)


def presence_group(user_id: Any) -> str:
    """Sockets that hear whether this person comes or goes."""
    return f"presence.{user_id}"


async def arrive(user_id: Any, device: str) -> bool:
    """A socket is there, or still is. Whether nobody of that person was there before it."""
    now, key = time.time(), _devices(user_id)
    try:
        async with _client().pipeline(transaction=True) as steps:
            steps.zremrangebyscore(key, "-inf", now)
            steps.zcard(key)
            steps.zadd(key, {device: now + ALIVE_SECONDS})
            steps.expire(key, 2 * ALIVE_SECONDS)
            answers = await steps.execute()
    except REDIS_AWAY:
        return False
    return not answers[1]


async def part(user_id: Any, device: str) -> None:
    """A socket has gone. It counts for a moment more, for the next may be on its way."""
    try:
        await _client().zadd(_devices(user_id), {device: time.time() + GRACE_SECONDS}, xx=True)
    except REDIS_AWAY:
        return


async def is_online(user_id: Any) -> bool | None:
    """Whether a device of theirs is there; None while that is not known."""
    return (await are_online([user_id]))[0]


async def are_online(user_ids: Iterable[Any]) -> list[bool | None]:
    """The same of several, in one question."""
    now, people = time.time(), [*user_ids]
    try:
        async with _client().pipeline(transaction=False) as steps:
            for user_id in people:
                steps.zcount(_devices(user_id), now, "+inf")
            return [bool(count) for count in await steps.execute()]
    except REDIS_AWAY:
        return [None] * len(people)


async def set_typing(chat_id: Any, user_id: Any, *, on: bool) -> None:
    key = _writer(chat_id, user_id)
    try:
        if on:
            await _client().set(key, 1, ex=TYPING_SECONDS)
        else:
            await _client().delete(key)
    except REDIS_AWAY:
        return


async def is_typing(chat_id: Any, user_id: Any) -> bool:
    try:
        return bool(await _client().exists(_writer(chat_id, user_id)))
    except REDIS_AWAY:
        return False


def _devices(user_id: Any) -> str:
    return f"medisync:presence:{user_id}"


def _writer(chat_id: Any, user_id: Any) -> str:
    return f"medisync:typing:{chat_id}:{user_id}"


def _client() -> redis.asyncio.Redis:
    """One for each event loop, with few connections, for which one waits in turn."""
    loop = asyncio.get_running_loop()
    client = _clients.get(loop)
    if client is None:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.REDIS_URL,
            max_connections=8,
            timeout=PATIENCE_SECONDS,
            socket_timeout=settings.REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=settings.REDIS_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            protocol=2,
        )
        client = _clients[loop] = redis.asyncio.Redis(connection_pool=pool)
    return client
