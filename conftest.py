"""The cast of every test, on real PostgreSQL and Redis."""

from __future__ import annotations

import os
import time

import pgtrigger
import pytest
from django.core.cache import cache
from django.utils import translation
from factory.random import reseed_random
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from accounts.models import User
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from accounts.tests.provider import google, id_tokens, liar, provider  # noqa: F401 - fixtures
from connections.models import Connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.browsing import browser, site  # noqa: F401 - fixtures
from medisync.tests.chance import SEED
from medisync.tests.mail import mailbox  # noqa: F401 - a fixture
from medisync.tests.world import fresh_world, world, world_keeper  # noqa: F401 - fixtures
from qrverify.tests.verifiers import verifiers  # noqa: F401 - a fixture

# Repeats itself, and takes its time on a busy machine.
hypothesis_settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--alone", action="store_true", help="only tests whose clock counts")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What promises something within a second is measured with nothing beside it: parallel
    workers leave it out, and `--alone` runs nothing else."""
    chosen = config.getoption("--alone")
    if not chosen and "PYTEST_XDIST_WORKER" not in os.environ:
        return
    others = [item for item in items if (item.get_closest_marker("alone") is None) == chosen]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in set(others)]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Names the factories make up are the same at every run, whatever ran before: a test that a
    name can fail fails always."""
    reseed_random(SEED)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Where a test commits, every table is emptied afterwards; the access log forbids it."""
    tables = ("AccessEvent", "AccessChain", "AuditSeal", "SealedHead")
    with django_db_blocker.unblock():
        pgtrigger.disable(*(f"audit.{table}:never_emptied" for table in tables))


@pytest.fixture(autouse=True)
def _fresh_rate_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters of one test are not another's, and none begins anew in the middle of one: windows
    of a rate are counted from the beginning of the test, not by the wall clock."""
    cache.clear()
    began = int(time.time())

    def end_of_window(value: str, period: int) -> int:
        return began + ((int(time.time()) - began) // period + 1) * period

    monkeypatch.setattr("django_ratelimit.core._get_window", end_of_window)


@pytest.fixture(autouse=True)
def _no_language_chosen() -> None:
    """A request in Arabic leaves its thread speaking Arabic; the next test is not to hear it."""
    translation.deactivate()


@pytest.fixture
def patient(db: None) -> User:
    return PatientFactory(first_name="Mona", last_name="Adel")


@pytest.fixture
def doctor(db: None) -> User:
    """The patient's doctor, once `connection` is asked for."""
    return DoctorFactory(first_name="Karim", last_name="Nabil")


@pytest.fixture
def stranger(db: None) -> User:
    """Another patient."""
    return PatientFactory(first_name="Sara", last_name="Zaki")


@pytest.fixture
def other_doctor(db: None) -> User:
    return DoctorFactory(first_name="Omar", last_name="Fathy")


@pytest.fixture
def admin(db: None) -> User:
    return AdminFactory(first_name="Ada", last_name="Admin")


@pytest.fixture
def connection(patient: User, doctor: User) -> Connection:
    return ConnectionFactory(patient=patient, doctor=doctor)
