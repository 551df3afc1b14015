"""Clock work over many things."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import structlog

logger = structlog.get_logger(__name__)
Thing = TypeVar("Thing")


def each(things: Iterable[Thing], act: Callable[[Thing], Any]) -> int:
    """Do it to each, in a transaction of its own; returns for how many there was something to
    do. One that fails is logged and holds up no other; the next run comes to it again."""
    return sum(_is_done(thing, act) for thing in things)


def _is_done(thing: Thing, act: Callable[[Thing], Any]) -> bool:
    try:
        return bool(act(thing))
    except Exception:
        logger.exception("one_of_a_run_failed", thing=str(thing))
        return False
