"""Interleavings of real transactions, chosen statement by statement.

A `Stage` has players: threads that each keep a database connection of their own. Every player
stops after each of its SQL statements, also after the last one before its commit, and goes on
when it is told to. Who is told is a schedule, so that the same schedule is the same interleaving:
two transactions meet where it says, not where the clock of a busy machine lets them.

A player that waits for a lock of another cannot stop; PostgreSQL says who waits for whom.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

from django.db import connection

PATIENCE_SECONDS = 20.0
# A statement that takes longer than this may be waiting for a lock.
SUSPICIOUS_SECONDS = 0.002
TO_ITS_END = 10_000
WAITING = "SELECT pid FROM unnest(%s) AS pid WHERE cardinality(pg_blocking_pids(pid)) > 0"


@dataclass(eq=False)
class Player:
    """One thread. `is_still` while it does nothing: stopped after a statement, or ended."""

    turn: threading.Condition
    act: Callable[[], Any] | None = None
    is_still: bool = True
    is_playing: bool = False
    is_dismissed: bool = False
    value: Any = None
    error: Exception | None = None
    pid: int = 0
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._live, daemon=True)
        self.thread.start()

    def _live(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self.pid = cursor.fetchone()[0]
        with connection.execute_wrapper(self._stop_after):
            while not self.is_dismissed:
                self._play_next()
        connection.close()

    def _play_next(self) -> None:
        with self.turn:
            self.turn.wait_for(lambda: not self.is_still or self.is_dismissed)
        if self.act is None:
            return
        try:
            self.value, self.error = self.act(), None
        except Exception as error:  # noqa: BLE001 - whatever it was is what is looked at
            self.value, self.error = None, error
        with self.turn:
            self.act, self.is_playing, self.is_still = None, False, True
            self.turn.notify_all()

    def _stop_after(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        with self.turn:
            self.is_still = True
            self.turn.notify_all()
            self.turn.wait_for(lambda: not self.is_still)
        return result

    def go_on(self) -> None:
        with self.turn:
            self.is_still = False
            self.turn.notify_all()


class Stage:
    """Players who act at once, as a schedule says."""

    def __init__(self, size: int) -> None:
        self._turn = threading.Condition()
        self._players = [Player(self._turn) for _ in range(size)]

    def play(self, acts: Sequence[Callable[[], Any]], turns: Iterable[int] = ()) -> list[Player]:
        """Let the acts begin together. In turn, whoever does not wait for a lock makes as many
        statements as the next number of the schedule says; after its end, each goes on to its
        own end. Returns the players with what became of their acts, in the order of the acts."""
        players = self._players[: len(acts)]
        for player, act in zip(players, acts, strict=True):
            player.act, player.is_playing = act, True
        lengths = chain(turns, repeat(TO_ITS_END))
        waiting = list(players)
        while any(player.is_playing for player in players):
            waiting = [*(p for p in waiting if p.is_playing)]
            ready = next((player for player in waiting if player.is_still), None)
            if ready is None:
                self._wait_for_any(waiting)
                continue
            self._let_go_on(ready, next(lengths), players)
            waiting.remove(ready)
            waiting.append(ready)
        return players

    def dismiss(self) -> None:
        for player in self._players:
            with self._turn:
                player.is_dismissed = True
                self._turn.notify_all()
            player.thread.join(PATIENCE_SECONDS)

    def _let_go_on(self, player: Player, statements: int, players: list[Player]) -> None:
        for _ in range(statements):
            player.go_on()
            self._settle(players)
            if not (player.is_playing and player.is_still):
                return

    def _settle(self, players: list[Player]) -> None:
        """Until each is still, or waits for the lock of one who is."""
        for _ in self._patience():
            with self._turn:
                self._turn.wait_for(lambda: not _moving(players), SUSPICIOUS_SECONDS)
                moving = _moving(players)
            if not moving or len(self._blocked(moving)) == len(moving):
                return

    def _wait_for_any(self, players: list[Player]) -> None:
        """All wait for one another: PostgreSQL ends one of them after a second."""
        with self._turn:
            went_on = self._turn.wait_for(
                lambda: any(player.is_still for player in players), PATIENCE_SECONDS
            )
        assert went_on, "All wait, and nobody for a lock."

    def _patience(self) -> Iterator[int]:
        yield from range(int(PATIENCE_SECONDS / SUSPICIOUS_SECONDS))
        raise AssertionError("A player neither waits nor ends.")

    @staticmethod
    def _blocked(players: list[Player]) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(WAITING, [[player.pid for player in players]])
            return [pid for (pid,) in cursor.fetchall()]


@contextmanager
def stage(size: int) -> Iterator[Stage]:
    made = Stage(size)
    try:
        yield made
    finally:
        made.dismiss()


def _moving(players: list[Player]) -> list[Player]:
    return [player for player in players if not player.is_still]
