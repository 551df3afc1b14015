"""Whether a prescription is verified as fast among ten million as among a thousand: see README.md.

python benchmarks/verification.py [ROWS]

Makes a PostgreSQL and a Valkey of its own and removes them. Times the public verification page,
and at a million rows, or at as many as are asked for, the lists of a patient, of a doctor and of
refill requests; prints what the queries of the verification page are answered from, and fails where
a plan reads all of them.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from medisync.devstack.environment import LOCAL_DIR, new_secrets  # noqa: E402
from medisync.devstack.processes import Ledger, Processes, start_guard  # noqa: E402
from medisync.devstack.services import start_postgres, start_valkey  # noqa: E402

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
    "REDIS_URL": start_valkey(processes, directory / "valkey"),
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "ALLOWED_HOSTS": "testserver",
}

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402

# Addresses of files as they are, for there is no manifest of those that were collected.
plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}

from django.core.management import call_command  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from accounts.models import User  # noqa: E402
from connections.models import Connection  # noqa: E402
from connections.tests.factories import ConnectionFactory  # noqa: E402
from medisync.tests.client import page_client  # noqa: E402
from prescriptions.models import Prescription, PrescriptionItem, RefillRequest  # noqa: E402
from prescriptions.tests.factories import issue  # noqa: E402

FEW, LISTED, MANY, ROUNDS = 1_000, 1_000_000, 10_000_000, 30
PAIRS, CROWD = 20, 20_000
TABLES = [model._meta.db_table for model in (Prescription, PrescriptionItem, RefillRequest)]

# The n-th row: ids are UUIDv7, a second apart. One in ten is of the pairs that are asked about,
# the others of a crowd. One in 21 is in force; of the pairs' one in five was asked for again, and
# of these requests one in 101 still waits.
ID = """
    (lpad(to_hex((extract(epoch FROM timestamptz '2020-01-01') * 1000)::bigint + n::bigint * 1000),
          12, '0') || '7000' || '{kind}' || substr(md5(n::text), 1, 15))::uuid
"""


def crowd(who: str) -> str:
    return f"md5('{who}' || n %% {CROWD})::uuid"


def who(column: str) -> str:
    return f"""
        CASE WHEN n %% 10 = 0 THEN (%({column})s::uuid[])[1 + n / 10 %% {PAIRS}]
             ELSE {crowd(column)} END
    """


PATIENT = {
    "id": crowd("patient_id"),
    "email": "'p' || n || '@medisync.example'",
    "role": "'PATIENT'",
}
DOCTOR = {"id": crowd("doctor_id"), "email": "'d' || n || '@medisync.example'", "role": "'DOCTOR'"}
CONNECTION = {
    "id": crowd("connection_id"),
    "patient_id": crowd("patient_id"),
    "doctor_id": crowd("doctor_id"),
}
PRESCRIPTION = {
    "id": ID.format(kind="8"),
    "number": "lpad(n::text, 11, '0')",
    "connection_id": who("connection_id"),
    "patient_id": who("patient_id"),
    "doctor_id": who("doctor_id"),
    "verification_digest": "md5(n::text) || md5('digest' || n)",
    "client_id": "NULL",
    "status": "CASE WHEN n %% 21 = 0 THEN 'active' ELSE 'completed' END",
    "status_at": "CASE WHEN n %% 21 = 0 THEN NULL ELSE t.created_at END",
}
ITEM = {
    "id": ID.format(kind="9"),
    "prescription_id": ID.format(kind="8"),
}
REFILL = {
    "id": ID.format(kind="a"),
    "prescription_id": ID.format(kind="8"),
    "patient_id": who("patient_id"),
    "doctor_id": who("doctor_id"),
    "status": "CASE WHEN n / 50 %% 101 = 0 THEN 'PENDING' ELSE 'DECLINED' END",
    "decided_at": "CASE WHEN n / 50 %% 101 = 0 THEN NULL ELSE t.created_at END",
}


def copies(model: type[models.Model], changed: dict[str, str], first: int, last: int) -> str:
    """One statement that makes rows like the first one."""
    names = [str(field.column) for field in model._meta.concrete_fields]
    values = ", ".join(changed.get(name, f't."{name}"') for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    table, every = model._meta.db_table, 50 if model is RefillRequest else 1
    return (
        f"INSERT INTO {table} ({listed}) SELECT {values}"
        f" FROM (SELECT * FROM {table} ORDER BY created_at LIMIT 1) AS t,"
        f" generate_series({first}, {last} - 1, {every}) AS n"
    )


def fill(first: int, last: int, pairs: list[Connection]) -> None:
    """Rows as a restored dump would bring them: unwatched, and indexed when all are there."""
    columns = ("connection_id", "patient_id", "doctor_id")
    ids = zip(*((pair.pk, pair.patient_id, pair.doctor_id) for pair in pairs), strict=True)
    people = dict(zip(columns, map(list, ids), strict=True))
    ready = "UPDATE pg_index SET indisready = false WHERE indrelid = ANY(%s::regclass[])"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(ready, [TABLES])
        cursor.execute(copies(Prescription, PRESCRIPTION, first, last), people)
        # The verification page reads the items of one prescription, the lists of twenty.
        if last <= LISTED:
            cursor.execute(copies(PrescriptionItem, ITEM, first, last), {})
            cursor.execute(copies(RefillRequest, REFILL, first, last), people)
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '500MB'")
        for table in TABLES:
            cursor.execute(f"REINDEX TABLE {table}")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def fill_crowd() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for model, changed in ((User, PATIENT), (User, DOCTOR), (Connection, CONNECTION)):
            cursor.execute(copies(model, changed, 0, CROWD), {})


# Every look comes from an address of its own, so that no limit of one address is reached.
_addresses = (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in count(1))


def look(client: Client, path: str) -> None:
    answer = client.get(path, REMOTE_ADDR=next(_addresses))
    assert answer.status_code == 200, (path, answer.status_code)


def times(asks: Iterator[Callable[[], None]]) -> tuple[float, float]:
    """The median by the clock and of a processor, in milliseconds."""
    clock, work = [], []
    for ask in islice(asks, ROUNDS):
        began, worked = time.perf_counter(), time.process_time()
        ask()
        clock.append((time.perf_counter() - began) * 1000)
        work.append((time.process_time() - worked) * 1000)
    return statistics.median(clock), statistics.median(work)


def verifying(papers: list[Prescription]) -> Iterator[Callable[[], None]]:
    client, rng = Client(), Random(1)
    while True:
        yield partial(look, client, rng.choice(papers).verification_path)


def listing(pairs: list[Connection]) -> dict[str, tuple[Client, str]]:
    patient, doctor = page_client(pairs[0].patient), page_client(pairs[0].doctor)
    return {
        "patient's list, in force": (patient, "/prescriptions"),
        "patient's list, past": (patient, "/prescriptions?show=past"),
        "doctor's list, in force": (doctor, "/prescriptions"),
        "doctor's list, past": (doctor, "/prescriptions?show=past"),
        "doctor's refill queue": (doctor, "/refills"),
    }


def walk(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from walk(below)


def plans(ask: Callable[[], None]) -> Iterator[tuple[str, dict[str, Any]]]:
    with CaptureQueriesContext(connection) as asked:
        ask()
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query['sql']}")
                yield query["sql"], cursor.fetchone()[0][0]["Plan"]


def pages(ask: Callable[[], None], *, check: bool) -> int:
    """How many pages of 8 KiB its reading touches; with `check`, no table of millions is read
    whole."""
    touched = 0
    for sql, plan in plans(ask):
        scans = (node for node in walk(plan) if node["Node Type"] == "Seq Scan")
        whole = {node["Relation Name"] for node in scans} & set(TABLES[:2])
        if check and whole:
            raise SystemExit(f"{whole} read whole by {sql}")
        touched += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return touched


def show_plans(ask: Callable[[], None]) -> None:
    for sql, plan in plans(ask):
        table = sql.split(" FROM ")[1].split()[0].strip('"')
        used = [
            f"{node['Node Type']} {node.get('Index Name') or node['Relation Name']}"
            for node in walk(plan)
            if "Relation Name" in node
        ]
        print(f"  {table:<38} {plan['Actual Total Time']:6.3f} ms  {'; '.join(used)}")


Figures = dict[str, tuple[float, float, int]]


def measure(asks: dict[str, Iterator[Callable[[], None]]], *, check: bool) -> Figures:
    figures = {}
    for name, ask in asks.items():
        for warm in islice(ask, PAIRS):
            warm()
        figures[name] = (*times(ask), pages(next(ask), check=check))
    return figures


def again(client: Client, path: str) -> Iterator[Callable[[], None]]:
    while True:
        yield partial(look, client, path)


def questions(pairs: list[Connection]) -> dict[str, Iterator[Callable[[], None]]]:
    papers = list(Prescription.objects.order_by("-id")[:PAIRS])  # the only ones with a real code
    return {"verification page": verifying(papers)} | {
        name: again(client, path) for name, (client, path) in listing(pairs).items()
    }


def show(rows: int, few: Figures, many: Figures) -> None:
    print(f"\n| page | {FEW:,} | {rows:,} | ratio | of a processor | pages |")
    print("|---|---|---|---|---|---|")
    for name, (clock, work, touched) in many.items():
        before, work_before, touched_before = few[name]
        print(
            f"| {name} | {before:.1f} ms | {clock:.1f} ms | {clock / before:.2f}"
            f" | {work_before:.1f}, {work:.1f} ms | {touched_before:,}, {touched:,} |"
        )


def main(rows: int) -> None:
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET max_wal_size = '16GB'")
        cursor.execute("SELECT pg_reload_conf()")
    for _ in range(PAIRS):
        ConnectionFactory.create()
    pairs = list(Connection.objects.select_related("patient", "doctor"))
    for pair in pairs:
        RefillRequest.objects.create(
            prescription=issue(pair), patient=pair.patient, doctor=pair.doctor
        )
    fill_crowd()
    fill(0, FEW, pairs)
    few = measure(questions(pairs), check=False)
    listed = min(rows, LISTED)
    fill(FEW, listed, pairs)
    show(listed, few, measure(questions(pairs), check=True))
    if rows > LISTED:
        fill(LISTED, rows, pairs)
        papers = {"verification page": questions(pairs)["verification page"]}
        show(rows, few, measure(papers, check=True))
    print(f"\nThe queries of the verification page, among {rows:,}:\n")
    show_plans(next(questions(pairs)["verification page"]))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        print(f"\n{cursor.fetchone()[0]}")


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else MANY)
    finally:
        connection.close()
        clean_up()
