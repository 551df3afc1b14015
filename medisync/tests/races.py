"""Races of real transactions, lost or won the same way at every run.

Threads started together overlap by luck. Here the table at stake is held against writing until
every racer has read what it wanted and waits, so whatever a service does not guard is lost each
time. That is also how a test shows that it would notice: the same race, with `no_row_locks`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, connections, models, transaction
from django.db.models import QuerySet

PATIENCE_SECONDS = 10.0
BLOCKED = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
"""


@dataclass
class Racer:
    """What became of one act. `place` tells in which order they ended, from 1."""

    act: Callable[[], Any]
    value: Any = None
    error: Exception | None = None
    place: int = 0


def race(*acts: Callable[[], Any], gate: type[models.Model]) -> list[Racer]:
    """Run the acts at once, each in transactions of its own, through a gate that opens when
    each has either come to a stop before its first write to the gate's table, or ended.

    They start one after another, so the first act is the first to lock rows; where none is
    locked before the first write, the gate opens to both and either may win. Asks for
    `django_db(transaction=True)`: the racers see committed rows only.
    """
    racers = [Racer(act) for act in acts]
    ended: list[Racer] = []
    threads = [threading.Thread(target=_run, args=(racer, ended), daemon=True) for racer in racers]
    with transaction.atomic(), connection.cursor() as cursor:
        # Lets everyone read, also `FOR UPDATE`, and nobody write.
        cursor.execute(f'LOCK TABLE "{gate._meta.db_table}" IN SHARE MODE')
        for number, thread in enumerate(threads, start=1):
            thread.start()
            _wait_until(lambda started=number: _blocked(cursor) + len(ended) >= started)
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive(), "A racer did not come to an end."
    return racers


def _run(racer: Racer, ended: list[Racer]) -> None:
    try:
        racer.value = racer.act()
    except Exception as error:  # noqa: BLE001 - whatever it was is what is looked at
        racer.error = error
    finally:
        ended.append(racer)
        racer.place = ended.index(racer) + 1
        connections.close_all()


def _blocked(cursor: Any) -> int:
    cursor.execute("SELECT pg_stat_clear_snapshot()")
    cursor.execute(BLOCKED)
    return int(cursor.fetchone()[0])


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "A racer neither waits nor ends."
        time.sleep(0.005)


@pytest.fixture
def no_row_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """`SELECT … FOR UPDATE` reads without locking: what a service without its lock would do."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, *args, **kwargs: rows.all())


def errors(racers: list[Racer]) -> list[str]:
    """The names of what was raised, in the order of the acts; empty text where nothing was."""
    return [type(racer.error).__name__ if racer.error else "" for racer in racers]
