"""Whether the time of an answer tells who has an account: see README.md.

python benchmarks/sign_in_timing.py [ROUNDS]

Uses the services of the tests, and passwords as dear as in production. Exits with 1 where the
medians differ by 5 % or more.
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "medisync.settings_test"

import django  # noqa: E402

django.setup()

from django.core.cache import cache  # noqa: E402
from django.test.runner import DiscoverRunner  # noqa: E402
from django.test.utils import override_settings  # noqa: E402

from accounts.models import AttemptCount, Role  # noqa: E402
from accounts.services.registration import start_registration  # noqa: E402
from accounts.tests.factories import PatientFactory  # noqa: E402
from medisync import settings as production  # noqa: E402
from medisync.tests.client import api_client, sign_in  # noqa: E402

ALLOWED = 0.05
WARM_UP = 10
KNOWN, UNKNOWN = "known@example.org", "nobody@example.org"
PASSWORD = "a quite long sentence"
Ask = Callable[[str], float]


def timed(path: str, body: dict[str, str], expected: int) -> float:
    """The milliseconds of one answer, by a caller of whom nothing is counted yet."""
    cache.clear()
    AttemptCount.objects.all().delete()
    client = api_client()
    began = time.perf_counter()
    answer = client.post(f"/api/v1/auth/{path}", body)
    took = time.perf_counter() - began
    assert answer.status_code == expected, answer.content
    return took * 1000


def log_in(email: str) -> float:
    return timed("login", {"email": email, "password": "a wrong sentence"}, 401)


def forget_password(email: str) -> float:
    return timed("forgot-password", {"email": email}, 200)


def register(email: str) -> float:
    begun = start_registration(role=Role.PATIENT, language="en")
    body = {
        "registration_id": str(begun.pk),
        "email": email,
        "password": PASSWORD,
        "confirm_password": PASSWORD,
        "first_name": "Layla",
        "last_name": "Hassan",
    }
    return timed("register/basic", body, 201)


def compare(ask: Ask, rounds: int) -> bool:
    """Ask for both in turns, first one and then the other, so that whatever else the machine
    does meanwhile falls on both."""
    taken: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
    for number in range(-WARM_UP, rounds):
        order = [KNOWN, UNKNOWN] if number % 2 else [UNKNOWN, KNOWN]
        for email in order:
            milliseconds = ask(email)
            if number >= 0:
                taken[email].append(milliseconds)
    known, unknown = (statistics.median(taken[email]) for email in (KNOWN, UNKNOWN))
    ratio = known / unknown
    print(f"{ask.__name__}: known {known:.2f} ms, unknown {unknown:.2f} ms, ratio {ratio:.3f}")
    return abs(ratio - 1) < ALLOWED


def main(rounds: int) -> bool:
    logging.disable(logging.ERROR)
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        with override_settings(PASSWORD_HASHERS=production.PASSWORD_HASHERS):
            sign_in(PatientFactory(email=KNOWN, password=PASSWORD))
            alike = [compare(ask, rounds) for ask in (log_in, forget_password, register)]
            return all(alike)
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 200) else 1)
