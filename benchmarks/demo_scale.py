"""How long `manage.py demo --scale N` takes, and how much memory: see README.md.

python benchmarks/demo_scale.py N

Makes a PostgreSQL of its own, with durable commits as in production, and removes it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from medisync.devstack.environment import LOCAL_DIR, new_secrets  # noqa: E402
from medisync.devstack.processes import Ledger, Processes, start_guard  # noqa: E402
from medisync.devstack.services import start_postgres  # noqa: E402

INTACT = (
    "from prescriptions.models import Prescription as P;"
    "rows = P.objects.with_items().order_by('?')[:1000];"
    "print(sum(row.is_intact() for row in rows), 'of', len(rows), 'are intact')"
)


def main(scale: int) -> None:
    LOCAL_DIR.mkdir(mode=0o700, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=LOCAL_DIR))
    processes = Processes(Ledger(directory / "processes"))

    def clean_up() -> None:
        processes.stop_all()
        shutil.rmtree(directory, ignore_errors=True)

    start_guard(clean_up)
    try:
        url = start_postgres(processes, directory / "postgres")
        environment = os.environ | new_secrets("bench1")
        environment |= {"DATABASE_URL": url, "STORAGE_URL": f"file://{directory / 'media'}"}
        environment |= {"REDIS_URL": "redis://127.0.0.1:9", "EMAIL_URL": "smtp://127.0.0.1:9"}
        measure(scale, url, environment)
    finally:
        clean_up()


def measure(scale: int, url: str, environment: dict[str, str]) -> None:
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "demo", "--scale", str(scale), "--publish-passwords")
    with psycopg.connect(url) as connection:
        for question in (
            "SELECT count(*) || ' prescriptions' FROM prescriptions_prescription",
            "SELECT pg_size_pretty(pg_database_size(current_database()))",
        ):
            print(*connection.execute(question).fetchone())
    manage(environment, "shell", "--no-imports", "-c", INTACT)


def manage(environment: dict[str, str], *arguments: str) -> None:
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, ROOT / "manage.py", *arguments], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(process.returncode)
    seconds, megabytes = time.monotonic() - began, usage.ru_maxrss / 1024
    print(f"{arguments[0]}: {seconds:.0f} s, {megabytes:.0f} MB at its peak", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
