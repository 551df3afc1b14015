"""What the chain of the access log costs, and how quick a large log is: see README.md.

python benchmarks/audit_chain.py [ROWS]

Makes a PostgreSQL of its own, with durable commits as in production, and removes it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from medisync.devstack.environment import LOCAL_DIR, new_secrets  # noqa: E402
from medisync.devstack.processes import Ledger, Processes, start_guard  # noqa: E402
from medisync.devstack.services import start_postgres  # noqa: E402

WRITERS = 8
SECONDS = 4.0
ROUNDS = 3
ROWS_SMALL = 1000
# What is written without the chain needs a number and a hash from somewhere.
INSERT = """
    INSERT INTO audit_accessevent (id, created_at, patient_id, actor_id, action, basis, category,
        object_type, object_id, seq, previous_hash, hash)
    VALUES (%s, now(), %s, %s, 'READ', 'CARE', '', 'prescriptions.prescription', %s,
        nextval('bench_seq'), '', repeat('0', 64))
"""
# One act in five on the patient under test is somebody else's, one of twenty such about
# allergies. Their rows lie among those of twenty thousand others, and end at `newest`: what came
# since must not be read to find them.
FILL = """
    INSERT INTO audit_accessevent (id, created_at, patient_id, actor_id, action, basis, category,
        object_type, object_id)
    SELECT overlay(overlay(gen_random_uuid()::text PLACING lpad(to_hex(place), 8, '0') FROM 1)
            PLACING '7' FROM 15)::uuid,
        now() - interval '1 year' + place * interval '20 seconds', who,
        CASE WHEN nth %% 5 = 0 THEN md5('actor' || nth %% 50)::uuid ELSE who END, 'READ',
        CASE WHEN nth %% 5 = 0 THEN 'CARE' ELSE 'SELF' END,
        CASE WHEN nth %% 100 = 0 THEN 'ALLERGIES' ELSE '' END,
        'prescriptions.prescription', gen_random_uuid()
    FROM (
        SELECT place, place / %(share)s AS nth, CASE
            WHEN place %% %(share)s = 0 AND place <= %(newest)s THEN %(patient)s::uuid
            ELSE md5((place %% 20000)::text)::uuid END AS who
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS place
    ) AS row
"""
PATIENT = UUID(int=7)


# --- Writers ------------------------------------------------------------------------------


def write_until(url: str, patient_id: UUID, until: float, written: multiprocessing.Queue) -> None:
    """Log acts on one patient, each in a transaction of its own, until then."""
    count = 0
    with psycopg.connect(url, autocommit=True, prepare_threshold=1) as connection:
        while time.time() < until:
            connection.execute(INSERT, [uuid4(), patient_id, uuid4(), uuid4()])
            count += 1
    written.put(count)


def throughput(url: str, patients: list[UUID]) -> float:
    """Events a second by one writer for each of the patients named."""
    processes = multiprocessing.get_context("fork")
    written = processes.Queue()
    until = time.time() + SECONDS
    writers = [
        processes.Process(target=write_until, args=(url, patient_id, until, written))
        for patient_id in patients
    ]
    for writer in writers:
        writer.start()
    total = sum(written.get() for _ in writers)
    for writer in writers:
        writer.join()
    return total / SECONDS


@contextmanager
def unchained(url: str) -> Iterator[None]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE audit_accessevent DISABLE TRIGGER USER")
        yield
        connection.execute("ALTER TABLE audit_accessevent ENABLE TRIGGER USER")


def compare_writers(url: str) -> None:
    one, many = [UUID(int=1)] * WRITERS, [UUID(int=10 + number) for number in range(WRITERS)]
    measured: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        measured.setdefault("one patient", []).append(throughput(url, one))
        measured.setdefault(f"{WRITERS} patients", []).append(throughput(url, many))
        with unchained(url):
            measured.setdefault("no chain", []).append(throughput(url, many))
        measured.setdefault("one writer", []).append(throughput(url, one[:1]))
        with unchained(url):
            measured.setdefault("one writer, no chain", []).append(throughput(url, one[:1]))
    free = statistics.median(measured["no chain"])
    for name, figures in measured.items():
        median = statistics.median(figures)
        print(f"{name}: {median:.0f} events/s, {median / free:.2f} of no chain", flush=True)


# --- A large log --------------------------------------------------------------------------


def fill(url: str, *, rows: int, share: int, newest: int, first: int = 1) -> None:
    """Up to so many rows; one in `share` is of the patient whose feed is read."""
    with psycopg.connect(url, autocommit=True) as connection:
        for start in range(first, rows + 1, 5000):
            last = min(start + 4999, rows)
            values = {"first": start, "last": last, "share": share, "newest": newest}
            values |= {"patient": PATIENT}
            connection.execute(FILL, values)
        connection.execute("VACUUM ANALYZE audit_accessevent, audit_accesschain")


def feeds() -> dict[str, Any]:
    """The pages that a patient reads of their log: the newest, one from the middle, and what a
    filter leaves."""
    from audit.models import AccessEvent  # noqa: PLC0415 - Django is set up by now
    from connections.services.access_log import By, Wanted  # noqa: PLC0415

    mine = AccessEvent.objects.visible_to(SimpleNamespace(pk=PATIENT))
    others = mine.by_others()
    middle = others.order_by("id")[others.count() // 2]
    before = mine.filter(id__lt=middle.pk)
    wanted = {
        "of one kind of data": Wanted(category="ALLERGIES"),
        "by one person": Wanted(actor_id=middle.actor_id),
        "until a day": Wanted(until=middle.created_at),
        "of one kind, own acts too": Wanted(by=By.ALL, category="ALLERGIES"),
    }
    return {
        "all, first page": mine,
        "all, deep page": before,
        "by others, first page": others,
        "by others, deep page": before.by_others(),
        **{f"by others, {name}": one.among(mine) for name, one in wanted.items()},
    }


def read_feeds(*, show: bool) -> dict[str, tuple[float, int]]:
    """Of each the shortest of fifty times in milliseconds, and how many pages of 8 KiB the
    database touched; fails where a plan reads the whole table."""
    taken = {}
    for name, feed in feeds().items():
        rows, times = feed.order_by("-id")[:21], []
        for _ in range(50):
            began = time.perf_counter()
            list(rows.all())
            times.append((time.perf_counter() - began) * 1000)
        plan = json.loads(rows.explain(analyze=True, buffers=True, format="json"))[0]["Plan"]
        assert not show or "'Seq Scan'" not in str(plan), plan
        taken[name] = min(times), plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        if show:
            print(rows.explain(analyze=True, costs=False, buffers=True), flush=True)
    return taken


def compare_feeds(url: str, rows: int) -> None:
    fill(url, rows=ROWS_SMALL, share=2, newest=ROWS_SMALL)
    small = read_feeds(show=False)
    began = time.monotonic()
    fill(url, rows=rows, share=100, newest=rows // 2, first=ROWS_SMALL + 1)
    seconds = time.monotonic() - began
    print(f"{rows:,} rows written in {seconds:.0f} s, {rows / seconds:.0f} a second", flush=True)
    for name, (milliseconds, touched) in read_feeds(show=True).items():
        before, touched_before = small[name]
        print(
            f"{name}: {before:.2f} ms, then {milliseconds:.2f} ms, x {milliseconds / before:.2f}; "
            f"{touched_before} pages, then {touched}",
            flush=True,
        )


def verify() -> None:
    from audit.services import seal_log  # noqa: PLC0415
    from audit.verification import Verification  # noqa: PLC0415

    began = time.monotonic()
    seal_log()
    print(f"sealed in {time.monotonic() - began:.1f} s", flush=True)
    verification, began = Verification(), time.monotonic()
    findings = list(verification.findings())
    seconds = time.monotonic() - began
    rate = verification.events / seconds
    print(f"{verification.events:,} rows verified in {seconds:.0f} s, {rate:.0f} a second")
    assert not findings, findings[:3]


def main(rows: int) -> None:
    LOCAL_DIR.mkdir(mode=0o700, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=LOCAL_DIR))
    processes = Processes(Ledger(directory / "processes"))

    def clean_up() -> None:
        processes.stop_all()
        shutil.rmtree(directory, ignore_errors=True)

    start_guard(clean_up)
    try:
        url = start_postgres(processes, directory / "postgres")
        os.environ |= new_secrets("bench1") | {"DATABASE_URL": url, "LOG_LEVEL": "WARNING"}
        os.environ |= {"REDIS_URL": "redis://127.0.0.1:9", "EMAIL_URL": "smtp://127.0.0.1:9"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "medisync.settings"
        measure(url, rows)
    finally:
        clean_up()


def measure(url: str, rows: int) -> None:
    import django  # noqa: PLC0415

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    compare_feeds(url, rows)
    verify()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE bench_seq START 1000000000")
    compare_writers(url)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
