"""Whether finding one doctor takes longer among 100,000 than among 1,000: see README.md.

python benchmarks/directory.py [DOCTORS]

Makes a PostgreSQL of its own and removes it. Prints the plan of each search, and its median time
among the thousand and among all, with their ratio.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from medisync.devstack.environment import LOCAL_DIR, new_secrets  # noqa: E402
from medisync.devstack.processes import Ledger, Processes, start_guard  # noqa: E402
from medisync.devstack.services import start_postgres  # noqa: E402

LOCAL_DIR.mkdir(mode=0o700, exist_ok=True)
directory = Path(tempfile.mkdtemp(prefix="bench-", dir=LOCAL_DIR))
processes = Processes(Ledger(directory / "processes"))


def clean_up() -> None:
    processes.stop_all()
    shutil.rmtree(directory, ignore_errors=True)


start_guard(clean_up)
os.environ |= new_secrets("bench1") | {
    "DJANGO_SETTINGS_MODULE": "medisync.settings",
    "DATABASE_URL": start_postgres(processes, directory / "postgres"),
    "REDIS_URL": "redis://127.0.0.1:9",
    "EMAIL_URL": "smtp://127.0.0.1:9",
}

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from accounts.models import DirectoryEntry, DirectoryWord, DoctorProfile, User  # noqa: E402
from accounts.services.directory import Search, find_doctors  # noqa: E402
from common.ids import uuid7  # noqa: E402
from medisync.demo.bulk import Rows  # noqa: E402
from medisync.demo.names import FAMILY_NAMES, FEMALE_NAMES, GOVERNORATES, MALE_NAMES  # noqa: E402
from specializations.models import Specialization  # noqa: E402

FEW, MANY, AT_ONCE, ROUNDS = 1_000, 100_000, 5_000, 15
# One doctor in seven has a family name that hardly anybody else has.
RARE = 1 / 7
CONSONANTS = {"en": "bdfghjklmnrstwyz", "ar": "بدفجحكلمنرستويزشعق"}
VOWELS = {"en": "aiou", "ar": "اويى"}


def people(first: int, last: int) -> Iterator[tuple[User, DoctorProfile]]:
    """Doctors of the demonstration's names, spread as people are: a fifth of them in Cairo."""
    rng, now = Random(first), dt.datetime.now(dt.UTC)
    specialties = list(Specialization.objects.order_by("code"))
    crowds = [30, 12, 3, 3, *[2 + number % 7 for number in range(len(GOVERNORATES) - 4)]]
    for number in range(first, last):
        language = rng.choice(("en", "ar"))
        (where,) = rng.choices(GOVERNORATES, crowds)
        family = getattr(rng.choice(FAMILY_NAMES), language)
        if rng.random() < RARE:
            family = "".join(
                rng.choice(CONSONANTS[language]) + rng.choice(VOWELS[language]) for _ in range(3)
            ).capitalize()
        user = User(
            id=uuid7(), created_at=now, email=f"{number}@medisync.example", role="DOCTOR",
            status="ACTIVE", password="!", phone="", language=language, last_name=family,
            first_name=getattr(rng.choice(MALE_NAMES + FEMALE_NAMES), language),
        )  # fmt: skip
        place = min(int(rng.expovariate(0.1)), len(specialties) - 1)
        yield user, DoctorProfile(
            id=uuid7(), created_at=now, user=user, specialization=specialties[place],
            licence_number=str(number), city=getattr(rng.choice(where.cities), language),
            governorate=where.iso_code, consultation_fee=Decimal(50 * rng.randint(4, 16)),
            languages=["ar", "en", "fr"][: rng.choices((1, 2, 3), (40, 55, 5))[0]],
        )  # fmt: skip


def fill(first: int, last: int) -> None:
    for start in range(first, last, AT_ONCE):
        rows = Rows()
        for pair in people(start, min(start + AT_ONCE, last)):
            for row in pair:
                rows.add(row)
        with transaction.atomic():
            rows.write()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def searches() -> dict[str, Search]:
    heart = Specialization.objects.get(code="cardiology")
    return {
        "everybody": Search(),
        "a common first name": Search("Ahmed"),
        "the same, misspelt": Search("ahmmad"),
        "Muhammad for Mohamed": Search("Muhammad"),
        "first and family name": Search("Mona Khalil"),
        "both misspelt": Search("Mouna Kalil"),
        "with a title": Search("د. أحمد الشاذلي"),
        "without hamza or article": Search("احمد شاذلى"),
        "a specialty's alias": Search("heart doctor"),
        "specialty and city": Search("قلب القاهرة"),
        "a large city": Search("cairo"),
        "two places at once": Search("cairo alexandria"),
        "two letters": Search("mo"),
        "two beginnings": Search("mo kha"),
        "a rare name": Search("Badafa"),
        "nobody's name": Search("Wxyzzyq"),
        "a specialty": Search(specialization=heart),
        "specialty, city, fee": Search(
            specialization=heart, city="Nasr City", max_fee=Decimal(400)
        ),
        "who speaks French": Search(language="fr"),
        "a common name, filtered": Search("Ahmed", specialization=heart, governorate="EG-C"),
        "a fee nobody asks": Search(max_fee=Decimal(10)),
    }


def measured(search: Search) -> float:
    """The median of its milliseconds."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        find_doctors(search, size=20)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def plans(search: Search) -> Iterator[str]:
    """How PostgreSQL answers each statement that a search asks of the directory."""
    with CaptureQueriesContext(connection) as asked:
        find_doctors(search, size=20)
    with connection.cursor() as cursor:
        for query in asked:
            if DirectoryEntry._meta.db_table in query["sql"]:
                cursor.execute(f"EXPLAIN {query['sql']}")
                yield from (line for (line,) in cursor.fetchall())
                yield ""


def main(doctors: int) -> None:
    call_command("migrate", verbosity=0, skip_checks=True)
    fill(0, FEW)
    among_few = {name: measured(search) for name, search in searches().items()}
    began = time.monotonic()
    fill(FEW, doctors)
    print(f"{doctors} doctors, {DirectoryWord.objects.count()} words, ", end="")
    print(f"filled in {time.monotonic() - began:.0f} s")
    among_all = {name: measured(search) for name, search in searches().items()}
    for name, search in searches().items():
        print(f"--- {name}", *plans(search), sep="\n")
    print("| search | 1,000 | all | ratio |\n|---|---|---|---|")
    for name, few in among_few.items():
        print(f"| {name} | {few:.1f} ms | {among_all[name]:.1f} ms | {among_all[name] / few:.1f} |")


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else MANY)
    finally:
        clean_up()
