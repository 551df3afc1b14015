"""One command runs the real stack, and nothing of it is left behind."""

import contextlib
import json
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
from email.message import EmailMessage
from http.client import HTTPConnection
from pathlib import Path

import psutil
import psycopg
import pytest

from medisync.devstack import Problem, environment
from medisync.devstack.mailbox import Mailbox
from medisync.devstack.processes import Ledger, Processes
from medisync.devstack.services import start_postgres, start_valkey
from medisync.devstack.smtp import start_mail_server
from medisync.tests.ports import quiet_port

BARE = {
    name: value
    for name, value in os.environ.items()
    if name in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
}
# No promise, but what ends a test that would fail: a busy machine needs a while.
START_SECONDS, STOP_SECONDS = 180, 60


def manage(*arguments, **kwargs):
    """`manage.py` with an environment that names no setting at all."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=environment.BASE_DIR,
        env=BARE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **kwargs,
    )


class Stack:
    """A devstack in a directory of its own, with an empty database."""

    def __init__(self, local):
        self.local = local
        self.port = quiet_port()
        self.process = None

    def start(self):
        self.process = manage(
            *("devstack", "--no-demo", "--port", str(self.port), "--local", str(self.local))
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.status("/readyz") == 200:
                    return
            time.sleep(0.1)
        pytest.fail(f"did not start: {self.process.communicate(timeout=STOP_SECONDS)[0]}")

    def status(self, path):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def environment(self):
        return environment.read(self.local / environment.RUNNING)

    def living(self):
        """Every process of the stack: it, its guard, its children and theirs."""
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]


def gone(processes, seconds=STOP_SECONDS):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(lives(process) for process in processes):
            return True
        time.sleep(0.1)
    return False


def lives(process):
    # It may end between any two questions.
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != "zombie"
    return False


@pytest.fixture
def stack(tmp_path):
    stack = Stack(tmp_path / "local")

    yield stack

    if stack.process and stack.process.poll() is None:
        stack.process.terminate()
        stack.process.communicate(timeout=STOP_SECONDS)


@pytest.fixture
def processes(tmp_path):
    processes = Processes(Ledger(tmp_path / "processes"))

    yield processes

    processes.stop_all()


def test_whole_stack_starts_bare_dies_whole_and_keeps_its_data(stack):
    stack.start()
    names = {entry.name for entry in Ledger(stack.local / "processes").entries()}
    assert {"postgres", "valkey", "web", "worker", "beat"} <= names
    assert stack.status("/healthz") == 200
    with psycopg.connect(stack.environment()["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('yes')")

    second = manage("devstack", "--local", str(stack.local), "--port", str(quiet_port()))
    said = second.communicate(timeout=STOP_SECONDS)[0]
    assert second.returncode == 1
    assert f"running already (process {stack.process.pid}" in said
    assert len(said.splitlines()) == 1

    before = stack.living()
    secrets = environment.kept_secrets(stack.local)
    stack.process.kill()
    stack.process.communicate(timeout=STOP_SECONDS)
    assert gone(before)

    stack.start()
    with psycopg.connect(stack.environment()["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT word FROM kept").fetchone() == ("yes",)
    assert environment.kept_secrets(stack.local) == secrets

    before = stack.living()
    web = next(e for e in Ledger(stack.local / "processes").entries() if e.name == "web")
    os.kill(web.pid, signal.SIGKILL)
    said = stack.process.communicate(timeout=STOP_SECONDS)[0]
    assert stack.process.returncode == 1
    assert "web was killed by signal 9, so everything stops" in said
    assert "Traceback" not in said
    assert gone(before)
    assert not (stack.local / environment.RUNNING).exists()


def test_interrupt_during_the_start_leaves_nothing(stack):
    stack.process = manage("devstack", "--port", str(stack.port), "--local", str(stack.local))
    ledger = Ledger(stack.local / "processes")
    while not ledger.entries():
        time.sleep(0.02)
    before = stack.living()

    stack.process.send_signal(signal.SIGINT)

    said = stack.process.communicate(timeout=STOP_SECONDS)[0]
    assert stack.process.returncode == 0
    assert "Traceback" not in said
    assert gone(before)


def test_taken_port_is_explained(stack):
    with contextlib.closing(HTTPServerOn(stack.port)):
        process = manage("devstack", "--port", str(stack.port), "--local", str(stack.local))
        said = process.communicate(timeout=STOP_SECONDS)[0]

    assert process.returncode == 1
    assert f"Port {stack.port} is taken" in said
    assert f"make run PORT={stack.port + 1}" in said
    assert "Traceback" not in said


class HTTPServerOn:
    """Somebody else on a port."""

    def __init__(self, port):
        self.connection = socket.socket()
        self.connection.bind(("127.0.0.1", port))
        self.connection.listen()

    def close(self):
        self.connection.close()


def test_unusable_directory_is_explained(tmp_path):
    (tmp_path / "file").touch()

    process = manage("devstack", "--local", str(tmp_path / "file" / "local"))

    said = process.communicate(timeout=STOP_SECONDS)[0]
    assert process.returncode == 1
    assert str(tmp_path / "file") in said
    assert "Traceback" not in said


def test_half_made_data_directory_is_explained(processes, tmp_path):
    (tmp_path / "postgres" / "base").mkdir(parents=True)

    with pytest.raises(Problem, match="not a whole PostgreSQL data directory"):
        start_postgres(processes, tmp_path / "postgres")


def test_interrupted_initdb_is_begun_again(processes, tmp_path):
    (tmp_path / "postgres.new" / "base").mkdir(parents=True)

    url = start_postgres(processes, tmp_path / "postgres", durable=False)

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("medisync",)


def test_stale_pid_file_of_a_number_given_out_again_is_ignored(processes, tmp_path):
    start_postgres(processes, tmp_path / "postgres", durable=False)
    processes.stop_all()
    lock = tmp_path / "postgres" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{tmp_path}\n")

    url = start_postgres(processes, tmp_path / "postgres", durable=False)

    psycopg.connect(url).close()


def test_data_of_another_postgres_version_is_explained(processes, tmp_path):
    start_postgres(processes, tmp_path / "postgres", durable=False)
    processes.stop_all()
    (tmp_path / "postgres" / "PG_VERSION").write_text("15\n")

    with pytest.raises(Problem, match="belongs to PostgreSQL 15"):
        start_postgres(processes, tmp_path / "postgres", durable=False)


def test_deep_directory_still_gets_a_socket(processes, tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)

    url = start_postgres(processes, deep / "postgres", durable=False)

    psycopg.connect(url).close()


def test_valkey_asks_for_its_password(processes, tmp_path):
    url = start_valkey(processes, tmp_path / "redis", durable=False)

    connection = socket.create_connection(("127.0.0.1", int(url.split(":")[3][:-2])))
    connection.sendall(b"PING\r\n")
    answer = connection.recv(100)
    connection.close()
    assert answer.startswith(b"-NOAUTH")


def test_ledger_spares_a_process_that_was_given_an_old_number(tmp_path):
    ledger = Ledger(tmp_path / "processes")
    bystander = subprocess.Popen(["sleep", "30"], start_new_session=True)
    entry = {"name": "old", "pid": bystander.pid, "started": 1.0, "stage": 0, "signal": 15}
    ledger.path.write_text(json.dumps(entry) + '\n{"name": "cut sh')

    ledger.stop_all()

    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_stubborn_process_is_killed_with_its_helpers(processes, tmp_path, monkeypatch):
    monkeypatch.setattr("medisync.devstack.processes.PATIENCE_SECONDS", 0.5)
    ready = tmp_path / "ready"
    script = f"trap '' TERM; sleep 60 & touch {ready}; wait; wait; sleep 60"
    process = processes.start("deaf", ["sh", "-c", script], stage=0, output=subprocess.DEVNULL)
    while not ready.exists():
        time.sleep(0.01)
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]

    processes.stop_all()

    assert gone(family)


def test_secrets_are_made_once_and_private(tmp_path):
    first = environment.kept_secrets(tmp_path)

    assert environment.kept_secrets(tmp_path) == first
    assert (tmp_path / environment.SECRETS).stat().st_mode & 0o777 == 0o600
    assert first["FIELD_ENCRYPTION_KEYS"].startswith("dev1:")


def test_commands_join_a_running_devstack_unless_told_otherwise(tmp_path, monkeypatch):
    environment.write(tmp_path / "env", {"DATABASE_URL": "postgresql://a b'c", "DEBUG": "1"})
    monkeypatch.setattr(os, "environ", {"DEBUG": "0"})

    environment.join_running_devstack(tmp_path)
    joined = dict(os.environ)
    monkeypatch.setattr(os, "environ", {"DATABASE_URL": "postgresql://mine"})
    environment.join_running_devstack(tmp_path)

    assert joined == {"DATABASE_URL": "postgresql://a b'c", "DEBUG": "0"}
    assert os.environ == {"DATABASE_URL": "postgresql://mine"}


def test_mail_arrives_over_smtp_and_a_repeat_is_counted(tmp_path):
    box = Mailbox(tmp_path / "mail")
    server = start_mail_server(box)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@x.test", "Mona@x.test", "مرحبا"
    message["Message-ID"] = "<one@x.test>"
    message.set_content("رمزك 123456\n")
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.send_message(message)
        client.send_message(message)
    server.stop()

    (mail,) = box.newest(to="mona@x.test")

    assert (mail.subject, mail.text, mail.deliveries) == ("مرحبا", "رمزك 123456\n", 2)
    assert box.get(mail.id) == mail
    assert box.newest(to="someone@x.test") == []
    assert box.get("../secrets") is None


def test_every_setting_is_in_the_example_and_the_manual():
    root = environment.BASE_DIR
    source = Path(root, "medisync", "settings.py").read_text()
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    example = Path(root, ".env.example").read_text()
    manual = Path(root, "docs", "configuration.md").read_text()

    assert len(names) > 10
    assert {name for name in names if f"\n{name}=" not in example} == set()
    assert {name for name in names if f"`{name}`" not in manual} == set()
