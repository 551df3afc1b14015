"""Whether a list of notifications, or the outbox, gets slower with a million rows: see README.md.

python benchmarks/notifications.py [ROWS]

Makes a PostgreSQL of its own and removes it. Prints the shortest time of each question among the
thousand rows and among all, and how many pages of the database it touches, with their ratios;
fails where a plan reads a whole table.
"""

from __future__ import annotations

import base64
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

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
from django.test import RequestFactory  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from common.pagination import feed_page  # noqa: E402
from notifications import outbox  # noqa: E402
from notifications.models import EmailDelivery, Notification  # noqa: E402

FEW, MANY, CROWD, ROUNDS = 1_000, 1_000_000, 1_000, 21
# Of N rows one person has the first half, a crowd the rest. One in ten is read. Ids are UUIDv7,
# a second apart.
NOTIFICATIONS = """
    INSERT INTO notifications_notification
        (id, created_at, recipient_id, kind, about_id, context, url, read_at)
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008'
               || substr(md5(n::text), 1, 15))::uuid,
           at, CASE WHEN n %% 2 = 0 THEN ids[1] ELSE ids[2 + n %% %(crowd)s] END,
           'CONNECTION_MADE', ids[2], '{}', '/', CASE WHEN n %% 10 = 0 THEN at END
    FROM generate_series(%(first)s, %(last)s - 1) AS n, (SELECT %(people)s AS ids) AS people,
         LATERAL (SELECT timestamptz '2020-01-01' + n * interval '1 second' AS at) AS moment
"""
DELIVERIES = """
    INSERT INTO notifications_emaildelivery
        (id, created_at, notification_id, recipient_id, to_address, language, kind, url, status,
         attempts, release_at, due_at, published_at, last_error, idempotency_key)
    SELECT id, created_at, id, recipient_id, 'a@b.c', 'en', kind, url, 'SENT',
           1, created_at, created_at, created_at, '', id::text
    FROM notifications_notification
    ON CONFLICT DO NOTHING
"""


def fill(first: int, last: int, people: list[User]) -> None:
    ids = [person.pk for person in people]
    with connection.cursor() as cursor:
        cursor.execute(
            NOTIFICATIONS, {"people": ids, "crowd": CROWD - 1, "first": first, "last": last}
        )
        cursor.execute(DELIVERIES)
    settle()


def settle() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def wait(rows: Any) -> None:
    """Put these e-mails back into the outbox."""
    EmailDelivery.objects.filter(pk__in=rows.values("pk")).update(status="QUEUED")
    settle()


def page(rows: Any, cursor: str = "") -> Any:
    query = f"?{urlencode({'cursor': cursor})}" if cursor else ""
    return feed_page(
        RequestFactory(SERVER_NAME="localhost").get(f"/notifications{query}"), rows
    ).rows


def reading(person: User) -> dict[str, Callable[[], Any]]:
    mine = Notification.objects.visible_to(person).with_about()
    middle = mine[mine.count() // 2].pk
    deep = base64.b64encode(f"p={middle}".encode()).decode()
    return {
        "list, first page": lambda: page(mine),
        "list, a page in the middle": lambda: page(mine, deep),
        "list of the unread": lambda: page(mine.unread()),
        "unread count": lambda: mine.unread().counted(),
    }


def claim(delivery: EmailDelivery) -> int:
    """The one statement by which a worker takes an e-mail, or does not."""
    now = timezone.now()
    rows = EmailDelivery.objects.due(now).in_turn().filter(pk=delivery.pk)
    return rows.update(status="SENDING", claimed_at=now)


def sending(person: User) -> dict[str, Callable[[], Any]]:
    """With what waits for a person: the first in line, one behind it, and the clock's sweep."""
    line = EmailDelivery.objects.pending().filter(recipient=person).in_line()
    first, last = line.first(), line.last()
    assert first
    assert last
    return {
        "claim, first in line": lambda: claim(first),
        "claim, last in line": lambda: claim(last),
        "next of the same person": lambda: outbox.following(first.pk),
        "sweep": lambda: outbox.release_due(timezone.now()),
    }


def shortest(act: Callable[[], Any]) -> float:
    """In milliseconds, for what else the machine does is no matter of rows; what it wrote is
    undone each time."""
    times = []
    for _ in range(ROUNDS):
        with transaction.atomic():
            began = time.perf_counter()
            act()
            times.append(time.perf_counter() - began)
            transaction.set_rollback(True)
    return min(times) * 1000


def pages(act: Callable[[], Any], *, check: bool) -> int:
    """How many pages of 8 KiB PostgreSQL touches for it, which no other work changes; and with
    `check`, that no plan reads all of a table."""
    with CaptureQueriesContext(connection) as asked, transaction.atomic():
        act()
        transaction.set_rollback(True)
    touched = 0
    with transaction.atomic(), connection.cursor() as cursor:
        for query in asked.captured_queries:
            if query["sql"].startswith(("SELECT", "UPDATE")):
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query['sql']}")
                plan = cursor.fetchone()[0][0]["Plan"]
                assert not check or "'Seq Scan'" not in str(plan), plan
                touched += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        transaction.set_rollback(True)
    return touched


def measure(acts: dict[str, Callable[[], Any]], *, check: bool) -> dict[str, tuple[float, int]]:
    return {name: (shortest(act), pages(act, check=check)) for name, act in acts.items()}


def show(title: str, few: dict[str, tuple[float, int]], many: dict[str, Any]) -> None:
    print(f"\n{title}")
    for name, (ms, touched) in many.items():
        before, touched_before = few[name]
        print(
            f"  {name:<30} {before:8.2f} ms {ms:8.2f} ms   x {ms / before:5.2f}"
            f"   {touched_before:6} {touched:6} pages   x {touched / touched_before:5.2f}"
        )


def main(count: int) -> None:
    call_command("migrate", verbosity=0)
    people = User.objects.bulk_create(
        User(email=f"{number}@medisync.example", role="PATIENT", status="ACTIVE", password="!")
        for number in range(CROWD)
    )
    owed = EmailDelivery.objects.order_by("-pk")
    holder, other = people[0], people[2]
    found = []
    for first, last in ((0, FEW), (FEW, count)):
        is_all = last == count
        fill(first, last, people)
        EmailDelivery.objects.exclude(status="SENT").update(status="SENT")
        wait(owed[:100])
        sparse = measure(sending(holder), check=is_all)
        read = measure(reading(holder), check=is_all)
        crowd = measure(reading(other), check=is_all)
        wait(owed.exclude(recipient=holder))
        many_people = measure(sending(other), check=False)
        wait(owed.filter(recipient=holder))
        found.append((read, crowd, sparse, many_people, measure(sending(holder), check=False)))
    titles = (
        "Reading, by the one who has half of all rows", "Reading, by one of a crowd",
        "Sending, 100 e-mails wait", "Sending, half of all wait, for a crowd",
        "Sending, all wait, half of them for one person",
    )  # fmt: skip
    print(f"{FEW:,} rows, {count:,} rows, and how many times as long:")
    for title, few, many in zip(titles, *found, strict=True):
        show(title, few, many)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else MANY)
    finally:
        connection.close()
        clean_up()
