"""A search among many doctors goes by indexes; `benchmarks/directory.py` measures it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import DoctorProfile, User
from accounts.services.directory import Search, find_doctors
from common.ids import uuid7
from medisync.demo.bulk import Rows
from medisync.demo.names import FAMILY_NAMES, FEMALE_NAMES, GOVERNORATES, MALE_NAMES
from specializations.catalogue import COMMON_SPECIALIZATIONS
from specializations.models import Specialization

DOCTORS = 12_000


@pytest.fixture(scope="module")
def crowd(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """As many doctors as a country has; gone after the module."""
    with django_db_blocker.unblock():
        fill()
        yield
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE accounts_user, accounts_directoryword CASCADE")


def fill() -> None:
    rng, rows, now = Random(1), Rows(), timezone.now()
    known = set(Specialization.objects.values_list("code", flat=True))
    Specialization.objects.bulk_create(
        Specialization(**entry._asdict())
        for entry in COMMON_SPECIALIZATIONS
        if entry.code not in known
    )
    specialties = list(Specialization.objects.all())
    for number in range(DOCTORS):
        where, language = rng.choice(GOVERNORATES), rng.choice(("en", "ar"))
        user = rows.add(
            User(
                id=uuid7(), created_at=now, email=f"{number}@crowd.example", role="DOCTOR",
                status="ACTIVE", password="!", phone="", language=language,
                first_name=getattr(rng.choice(MALE_NAMES + FEMALE_NAMES), language),
                last_name=getattr(rng.choice(FAMILY_NAMES), language),
            )
        )  # fmt: skip
        rows.add(
            DoctorProfile(
                created_at=now, user=user, licence_number=f"C-{number}",
                specialization=rng.choice(specialties), governorate=where.iso_code,
                city=getattr(rng.choice(where.cities), language), languages=["ar"],
                consultation_fee=Decimal(50 * rng.randint(4, 16)),
            )
        )  # fmt: skip
    rows.write()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


SEARCHES = {
    "everybody": {},
    "a common name": {"text": "Ahmed"},
    "a near miss": {"text": "Ahmmad"},
    "two near misses": {"text": "Mouna Kalil"},
    "Arabic variants": {"text": "احمد شاذلى"},
    "a large place": {"text": "cairo"},
    "two letters": {"text": "mo"},
    "a city": {"city": "Maadi"},
    "a language nobody speaks": {"language": "es"},
    "a governorate": {"governorate": "EG-C"},
    "a low fee": {"max_fee": Decimal(10)},
}


@pytest.mark.parametrize("name", SEARCHES)
def test_search_reads_no_table_of_doctors_from_end_to_end(crowd: None, db: None, name: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        find_doctors(Search(**SEARCHES[name]), size=20)

    plans = [plan_of(query["sql"]) for query in asked if "accounts_directory" in query["sql"]]

    assert plans
    assert [plan for plan in plans if re.search(r"Seq Scan on accounts_", plan)] == []


def test_specialty_is_read_by_its_index(crowd: None, db: None) -> None:
    heart = Specialization.objects.get(code="cardiology")

    with CaptureQueriesContext(connection) as asked:
        find_doctors(Search(specialization=heart), size=20)

    assert "directory_by_specialization" in plan_of(asked[0]["sql"])


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())
