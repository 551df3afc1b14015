"""Settings of the test suite: the real services, made fresh for each run.

With `DATABASE_URL` and `REDIS_URL` set those servers are used. Otherwise a PostgreSQL and a
Valkey are started under `.local/` by the process that comes first; the parallel workers of
pytest find their addresses in the environment they inherit. They go when that process ends.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from medisync.devstack.environment import LOCAL_DIR, new_secrets
from medisync.devstack.processes import Ledger, Processes, start_guard
from medisync.devstack.services import start_postgres, start_valkey
from medisync.management.commands.compile_translations import compile_catalogues


def _start_services() -> None:
    LOCAL_DIR.mkdir(mode=0o700, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="test-", dir=LOCAL_DIR))
    processes = Processes(Ledger(directory / "processes"))

    def clean_up() -> None:
        processes.stop_all()
        shutil.rmtree(directory, ignore_errors=True)

    start_guard(clean_up)
    atexit.register(clean_up)
    if "DATABASE_URL" not in os.environ:
        url = start_postgres(processes, directory / "postgres", durable=False)
        os.environ["DATABASE_URL"] = url
    if "REDIS_URL" not in os.environ:
        os.environ["REDIS_URL"] = start_valkey(processes, directory / "redis", durable=False)


def _redis_database(url: str, worker: str) -> str:
    """A Redis database of its own for each parallel worker (`gw0`, `gw1`, …)."""
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/{number}"


if not {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
    _start_services()
for _name, _value in {
    **new_secrets("test1"),
    # Nothing listens here: a test that sends mail asks for the `mailbox` fixture.
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "SITE_URL": "http://testserver",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "LOG_LEVEL": "WARNING",
}.items():
    os.environ.setdefault(_name, _value)

from medisync.settings import *  # noqa: E402, F403
from medisync.settings import BASE_DIR, CACHES, CHANNEL_LAYERS, REDIS_URL, STORAGES  # noqa: E402

_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
REDIS_URL = _redis_database(REDIS_URL, _worker)
CACHES["default"]["LOCATION"] = REDIS_URL
CELERY_BROKER_URL = REDIS_URL
# Published messages cross Redis databases, so a prefix keeps the workers apart.
CHANNEL_LAYERS["default"]["CONFIG"] = {"url": REDIS_URL, "prefix": f"test-{_worker}"}

# Argon2 as in production, with the least work it allows: a test signs in often.
PASSWORD_HASHERS = ["medisync.tests.passwords.CheapArgon2PasswordHasher"]
STORAGES["default"] = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# Static files straight from their packages: nothing is collected for a test.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True

if "PYTEST_XDIST_WORKER" not in os.environ:
    list(compile_catalogues(BASE_DIR / "locale"))
