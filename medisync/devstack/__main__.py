"""`manage.py devstack`: starts everything, watches it, and stops everything."""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

from medisync.demo import DEMO_ACCOUNTS, DEMO_PASSWORD
from medisync.devstack import HAS_DEMO, Problem, environment
from medisync.devstack.mailbox import Mailbox
from medisync.devstack.processes import Ledger, Processes, start_guard
from medisync.devstack.services import start_postgres, start_valkey
from medisync.devstack.smtp import start_mail_server

HOST = "127.0.0.1"
STAGE = 1
FREE_BYTES_NEEDED = 256 * 1024 * 1024
LOCK_PATIENCE_SECONDS = 30
READY_SECONDS = 60
# As in the Dockerfile, but quicker to stop.
SERVER = ["medisync.server", "--grace", "3"]
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="manage.py devstack",
        description="Run MediSync with real services of its own until Ctrl-C.",
    )
    options.add_argument("--port", type=int, default=8000, help="where to serve (default: 8000)")
    options.add_argument(
        "--local",
        type=Path,
        default=environment.LOCAL_DIR,
        metavar="DIR",
        help="where to keep data, mail, files and secrets (default: .local)",
    )
    options.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
    return options


def main(arguments: list[str]) -> int:
    """Runs until interrupted (0) or until something fails (1, with one sentence)."""
    options = parser().parse_args(arguments)
    for number in STOP_SIGNALS:
        # Started by `nohup`, it goes on when the terminal closes.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        Devstack(options.local.resolve(), options.port, demo=not options.no_demo).run()
    except KeyboardInterrupt:
        return 0
    except Problem as problem:
        say(str(problem), file=sys.stderr)
    except OSError as error:
        say(_explain(error), file=sys.stderr)
    return 1


class Devstack:
    """One run of the whole stack on one directory."""

    def __init__(self, local: Path, port: int, *, demo: bool) -> None:
        self.local = local
        self.port = port
        self.demo = demo
        self.has_demo = False
        self.processes = Processes(Ledger(local / "processes"))
        self.environment: dict[str, str] = {}

    def run(self) -> None:
        self.local.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _sole_user_of(self.local, self.port):
            self._clean_up()
            _check_room(self.local)
            _check_port(self.port)
            guard = start_guard(self._clean_up)
            try:
                self._start()
                self._watch()
            finally:
                for number in STOP_SIGNALS:
                    signal.signal(number, signal.SIG_IGN)
                say("Stopping.")
                self._clean_up()
                os.close(guard)

    def _start(self) -> None:
        began = time.monotonic()
        self.environment = self._service_environment() | self._program_environment()
        environment.write(self.local / environment.RUNNING, self.environment)
        self._prepare()
        self._start_programs()
        self._wait_until_ready()
        say(self._welcome(time.monotonic() - began))

    def _service_environment(self) -> dict[str, str]:
        """The address of each service: the one given, or that of one started here."""
        values: dict[str, str] = {}
        if "DATABASE_URL" not in os.environ:
            values["DATABASE_URL"] = start_postgres(self.processes, self.local / "postgres")
        if "REDIS_URL" not in os.environ:
            values["REDIS_URL"] = start_valkey(self.processes, self.local / "redis")
        if "EMAIL_URL" not in os.environ:
            inbox = Mailbox(self.local / "mail")
            values["DEV_INBOX_DIR"] = str(inbox.directory)
            values["EMAIL_URL"] = f"smtp://{HOST}:{start_mail_server(inbox).port}"
        if "STORAGE_URL" not in os.environ:
            values["STORAGE_URL"] = f"file://{self.local / 'media'}"
        return values

    def _program_environment(self) -> dict[str, str]:
        """The rest of the settings; what the environment sets already stays."""
        defaults = {"DEBUG": "1", "SITE_URL": f"http://{HOST}:{self.port}"}
        defaults |= environment.kept_secrets(self.local)
        return {name: value for name, value in defaults.items() if name not in os.environ}

    def _prepare(self) -> None:
        command = [sys.executable, "-m", "medisync.devstack.prepare"]
        process = self._start_program("prepare", command if self.demo else [*command, "--no-demo"])
        status = process.wait()
        if status not in (0, HAS_DEMO):
            raise Problem("The database could not be prepared; the lines above say why.")
        self.has_demo = status == HAS_DEMO
        del self.processes.running["prepare"]

    def _start_programs(self) -> None:
        python = sys.executable
        self._start_program(
            "web", [python, "-m", *SERVER, "--host", HOST, "--port", str(self.port)]
        )
        schedule = self.local / "beat"
        schedule.mkdir(exist_ok=True)
        celery = ["-m", "celery", "--quiet", "--app", "medisync"]
        # Whoever starts a devstack as root means it; Celery would say so in eight lines.
        quiet = ["-W", "ignore:You're running the worker with superuser"]
        self._start_program(
            "worker", [python, *quiet, *celery, "worker", "--concurrency", "1", "--without-gossip"]
        )
        self._start_program(
            "beat",
            [python, *celery, "beat", "--schedule", str(schedule / "last-runs"), "--pidfile", ""],
        )

    def _start_program(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        process = self.processes.start(
            name,
            command,
            stage=STAGE,
            output=subprocess.PIPE,
            environment={
                "DJANGO_SETTINGS_MODULE": "medisync.settings",
                "PYTHONUNBUFFERED": "1",
                **os.environ,
                **self.environment,
            },
            directory=environment.BASE_DIR,
        )
        threading.Thread(target=_copy_lines, args=(name, process.stdout), daemon=True).start()
        return process

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(self.port, "/readyz"):
            self._complain_of_the_dead()
            if time.monotonic() > deadline:
                raise Problem(f"The web server was not ready within {READY_SECONDS} s.")
            time.sleep(0.1)

    def _watch(self) -> None:
        while True:
            self._complain_of_the_dead()
            time.sleep(0.5)

    def _complain_of_the_dead(self) -> None:
        """One program ends, everything ends: half a stack misleads whoever looks at it."""
        if dead := self.processes.first_dead():
            name, status = dead
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            raise Problem(f"{name} {how}, so everything stops; start it again with `make run`.")

    def _clean_up(self) -> None:
        self.processes.stop_all()
        (self.local / environment.RUNNING).unlink(missing_ok=True)

    def _welcome(self, seconds: float) -> str:
        address = f"http://{HOST}:{self.port}"
        lines = [f"MediSync is ready ({seconds:.1f} s): {address}"]
        if "DEV_INBOX_DIR" in self.environment:
            lines.append(f"Mail it sends is kept at {address}/dev/inbox")
        if self.has_demo:
            lines.append(f"Sign in with the password {DEMO_PASSWORD} as")
            lines += [f"  {account.email:<30} {account.note}" for account in DEMO_ACCOUNTS]
        lines.append("Stop it with Ctrl-C.")
        return "\n".join(lines)


def say(text: str, *, file: IO[str] | None = None) -> None:
    """Prints lines marked as the devstack's own."""
    for line in text.splitlines():
        _print_line("devstack", line, file or sys.stdout)


def _copy_lines(name: str, stream: IO[bytes]) -> None:
    """Prints what a program writes, each line under its name."""
    for line in stream:
        _print_line(name, line.decode(errors="replace").rstrip(), sys.stdout)


def _print_line(name: str, line: str, file: IO[str]) -> None:
    """In one piece, since several threads print. A terminal that has gone is no reason to stop
    reading: a program whose output nobody takes would wait for it."""
    with contextlib.suppress(OSError):
        file.write(f"{name:>8} | {line}\n")
        file.flush()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Problem(
                    f"Port {port} is taken by another program: stop that one, or choose another "
                    f"port with `make run PORT={port + 1}`."
                ) from error
            raise Problem(
                f"Port {port} cannot be used ({error.strerror}): choose another port with "
                "`make run PORT=8000`."
            ) from error


def _check_room(local: Path) -> None:
    free = shutil.disk_usage(local).free
    if free < FREE_BYTES_NEEDED:
        raise Problem(
            f"The disk is full: {local} has {free // 2**20} MB left and needs "
            f"{FREE_BYTES_NEEDED // 2**20} MB; make room and start again."
        )


@contextlib.contextmanager
def _sole_user_of(local: Path, port: int) -> Iterator[None]:
    """Holds the directory's lock; the guard inherits it, and so keeps it until it is done."""
    with (local / "lock").open("a+") as lock:
        deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
        while not _locked(lock):
            lock.seek(0)
            holder, _, address = lock.read().partition(" ")
            if holder.isdigit() and psutil.pid_exists(int(holder)):
                raise Problem(
                    f"MediSync is running already (process {holder}, {address}): use that one, "
                    "or stop it with Ctrl-C in its terminal."
                )
            if time.monotonic() > deadline:
                raise Problem(f"A previous run still holds {local}: end its processes first.")
            time.sleep(0.2)
        lock.truncate(0)
        lock.write(f"{os.getpid()} http://{HOST}:{port}")
        lock.flush()
        yield


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _explain(error: OSError) -> str:
    where = error.filename or "a file"
    if error.errno == errno.ENOSPC:
        return f"The disk is full at {where}: make room and start again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{where} cannot be used ({error.strerror}): start MediSync as its owner, or give "
            "another directory with `manage.py devstack --local DIR`."
        )
    return f"{where}: {error.strerror}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
