"""A stack, and people who are signed in, for the measurements of sockets; no program itself."""

from __future__ import annotations

import datetime as dt
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from medisync.devstack.environment import LOCAL_DIR, new_secrets  # noqa: E402
from medisync.devstack.processes import Ledger, Processes, start_guard  # noqa: E402
from medisync.devstack.services import free_port, start_postgres, start_valkey  # noqa: E402

LOCAL_DIR.mkdir(mode=0o700, exist_ok=True)
directory = Path(tempfile.mkdtemp(prefix="bench-", dir=LOCAL_DIR))
processes = Processes(Ledger(directory / "processes"))


def clean_up() -> None:
    processes.stop_all()
    shutil.rmtree(directory, ignore_errors=True)


start_guard(clean_up)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
os.environ |= new_secrets("bench1") | {
    "DJANGO_SETTINGS_MODULE": "medisync.settings",
    "DATABASE_URL": start_postgres(processes, directory / "postgres"),
    "REDIS_URL": start_valkey(processes, directory / "redis"),
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "LOG_LEVEL": "ERROR",
}

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import DeviceSession, Role, SignInMethod, Status, User  # noqa: E402
from accounts.tokens import token_pair  # noqa: E402
from chat.models import Chat, Participant  # noqa: E402
from common.ids import uuid7  # noqa: E402
from connections.models import Connection  # noqa: E402

call_command("migrate", verbosity=0, interactive=False)


def people(count: int, role: Role) -> list[User]:
    """So many of one kind, with nothing but an account."""
    return User.objects.bulk_create(
        User(
            email=f"{uuid7()}@example.org", first_name="Mona", last_name="Adel", role=role,
            status=Status.ACTIVE, password="!",
        )
        for _ in range(count)
    )  # fmt: skip


def tokens(users: list[User]) -> list[str]:
    """Signed in, each on one device."""
    now = timezone.now()
    sessions = DeviceSession.objects.bulk_create(
        DeviceSession(
            user=user, method=SignInMethod.PASSWORD, ip_address="127.0.0.1", last_seen_at=now,
            confirmed_at=now, rotated_at=now, expires_at=now + dt.timedelta(days=1),
        )
        for user in users
    )  # fmt: skip
    return [token_pair(session, now=now)["access_token"] for session in sessions]


def pairs(count: int) -> list[tuple[str, str, str]]:
    """Chats of a patient and a doctor: the chat's id, and a token of each."""
    patients, doctors = people(count, Role.PATIENT), people(count, Role.DOCTOR)
    connections = Connection.objects.bulk_create(
        Connection(
            patient=patient, doctor=doctor, status=Connection.Status.ACTIVE,
            origin=Connection.Origin.QR, connected_at=timezone.now(),
        )
        for patient, doctor in zip(patients, doctors, strict=True)
    )  # fmt: skip
    chats = Chat.objects.bulk_create(Chat(connection=one) for one in connections)
    Participant.objects.bulk_create(
        Participant(chat=chat, user=user)
        for chat in chats
        for user in (chat.connection.patient, chat.connection.doctor)
    )
    keys = zip(tokens(patients), tokens(doctors), strict=True)
    return [(str(chat.pk), *both) for chat, both in zip(chats, keys, strict=True)]


def serve(*command: str, path: str = "/healthz") -> tuple[subprocess.Popen[bytes], str]:
    """A server program, once it answers, and the address of its socket."""
    port = free_port()
    variables = {"SITE_URL": f"http://127.0.0.1:{port}", "PYTHONPATH": str(ROOT)}
    with (directory / "server.log").open("ab") as log:
        process = processes.start(
            f"server {port}", [sys.executable, *command, "--port", str(port)], stage=1,
            output=log, environment=os.environ | variables, directory=ROOT,
        )  # fmt: skip
    for _ in range(600):
        if process.poll() is not None:
            break
        with suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5)
            return process, f"ws://127.0.0.1:{port}/ws"
        time.sleep(0.2)
    raise SystemExit((directory / "server.log").read_text())


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
