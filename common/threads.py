"""Database work of sockets, on a few threads of its own."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import Generic, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 4
# A connection that was used so shortly ago is not asked whether it still lives.
FRESH_SECONDS = 1.0
# The database is away, or gave up: what was asked may be asked again.
DATABASE_AWAY = (OperationalError, InterfaceError)

_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sockets")
_used = local()


class in_database(Generic[P, R]):  # noqa: N801 - used as a decorator
    """Makes an awaitable of a sync function; each thread keeps its connection."""

    def __init__(self, func: Callable[P, R]) -> None:
        self.func = func

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        call = functools.partial(_call, self.func, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(_pool, call)


def _call(func: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    if time.monotonic() > getattr(_used, "at", 0) + FRESH_SECONDS:
        close_old_connections()
    try:
        return func(*args, **kwargs)
    except DATABASE_AWAY:
        # What is broken is closed, and the next one connects.
        close_old_connections()
        raise
    finally:
        _used.at = time.monotonic()
