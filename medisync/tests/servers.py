"""Real programs for a test: a web server and a worker on the test's own database and Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from kombu import pools

from medisync.celery import app
from medisync.tests.ports import quiet_port

READY_SECONDS = 90


def kill(process: subprocess.Popen[bytes]) -> None:
    """`kill -9` to a program and its children, as the kernel would when memory runs out."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def use_broker(url: str) -> None:
    """Hand tasks over to another broker than that of the settings."""
    app.conf.broker_url = app.conf.broker_read_url = app.conf.broker_write_url = url
    pools.reset()
    app._pool = None
    app.amqp._producer_pool = None


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker; it sends mail to the `mailbox` fixture."""
    command = [
        "celery", "-A", "medisync", "worker",
        "--concurrency=2", "--loglevel=ERROR", "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    with _running(command) as process:
        yield process


@contextmanager
def web_server(host: str = "127.0.0.1") -> Iterator[str]:
    """The web server, as production runs it; yields its address, by a name of this machine."""
    with web_process(host) as (_process, address):
        yield address


@contextmanager
def web_process(
    host: str = "127.0.0.1", **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The same, with the program that it is."""
    port = quiet_port()
    address = f"http://{host}:{port}"
    with _running(
        ["medisync.server", "--port", str(port)], SITE_URL=address, **variables
    ) as process:
        _wait_until_ready(process, address)
        yield process, address


@contextmanager
def _running(command: list[str], **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", *command], env=_environment() | variables, start_new_session=True
    )
    try:
        yield process
    finally:
        kill(process)


def _environment() -> dict[str, str]:
    database = urlsplit(os.environ["DATABASE_URL"])
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "medisync.settings_test",
        "DATABASE_URL": database._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "EMAIL_URL": f"smtp://127.0.0.1:{settings.EMAIL_PORT}",
    }


def _wait_until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError):
            urllib.request.urlopen(f"{address}/healthz", timeout=5)
            return
        time.sleep(0.1)
    raise AssertionError("The web server did not start.")
