"""Child processes that never outlive the one that started them.

Every child is written into a ledger as it starts. Whoever finds the ledger can stop what it
lists: the parent at a normal end, a guard when the parent was killed, or the next run when the
guard was killed too. A process is recognised by its number and its start time together, so a
stale ledger harms nobody.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import psutil

# How long a process may take to end by itself before it is killed.
PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Entry:
    """One started process; those of a higher stage use those below and are stopped first."""

    name: str
    pid: int
    started: float
    stage: int
    signal: int


class Ledger:
    """The processes of one run, on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, entry: Entry) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(entry)) + "\n")

    def entries(self) -> list[Entry]:
        """What is listed; a line cut short by a full disk or a crash is passed over."""
        found = []
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            with contextlib.suppress(ValueError, TypeError):
                found.append(Entry(**json.loads(line)))
        return found

    def stop_all(self) -> None:
        """Ends every listed process that still lives, the highest stage first."""
        entries = self.entries()
        for stage in sorted({entry.stage for entry in entries}, reverse=True):
            _stop([entry for entry in entries if entry.stage == stage])
        self.path.unlink(missing_ok=True)


class Processes:
    """Starts children and writes them down; each leads a process group of its own."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        stage: int,
        output: int | IO[bytes],
        stop_signal: signal.Signals = signal.SIGTERM,
        environment: dict[str, str] | None = None,
        directory: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=directory,
            start_new_session=True,
        )
        started = psutil.Process(process.pid).create_time()
        self.ledger.add(Entry(name, process.pid, started, stage, stop_signal))
        self.running[name] = process
        return process

    def first_dead(self) -> tuple[str, int] | None:
        """The name and exit status of a child that has ended, if one has."""
        for name, process in self.running.items():
            if (status := process.poll()) is not None:
                return name, status
        return None

    def stop_all(self) -> None:
        self.ledger.stop_all()
        for process in self.running.values():
            process.wait()
        self.running.clear()


def start_guard(clean_up: Callable[[], None]) -> int:
    """Forks a process that calls `clean_up` once this one has ended, however it ended.

    It waits at a pipe whose other end only this process holds. Returns that end: closing it
    lets the guard run at once. Call it before any thread is started.
    """
    reading, writing = os.pipe()
    if os.fork():
        os.close(reading)
        return writing
    status = 1
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        os.close(writing)
        os.read(reading, 1)
        clean_up()
        status = 0
    finally:
        os._exit(status)


def _stop(entries: list[Entry]) -> None:
    living = [(entry, process) for entry in entries if (process := _find(entry))]
    for entry, process in living:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(entry.signal)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and any(_is_alive(process) for _, process in living):
        time.sleep(0.05)
    for _, process in living:
        # Helpers of the process (a worker's pool, say) share its group and end with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _find(entry: Entry) -> psutil.Process | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(entry.pid)
        if abs(process.create_time() - entry.started) < 1:
            return process
    return None


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
