"""The cast of every test, on real PostgreSQL and Redis."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from accounts.models import User
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from connections.models import Connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.mail import mailbox  # noqa: F401 - a fixture
from medisync.tests.world import world  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    """Counters of one test are not another's."""
    cache.clear()


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
