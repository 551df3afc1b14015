"""Whether lists of chats, reading and sending get slower with a million messages: see README.md.

python benchmarks/chat_lists.py [MESSAGES]

Makes a PostgreSQL of its own and removes it. Asks the same among 10,000 messages of 1,000 chats and
among a million of 50,000, through the services; prints the shortest time of each question, the
pages of the database that it touches, and the plans; fails where a plan reads all messages. Chats
and connections are a twentieth of them; where one doctor has a fiftieth, the planner reads all.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
from chat.models import Chat, Message  # noqa: E402
from chat.services import messages, places, reading, telling  # noqa: E402
from common.ids import uuid7  # noqa: E402
from common.pagination import TurnPagination, feed_page  # noqa: E402

MANY, ROUNDS, DOCTORS = 1_000_000, 15, 100
# Of one doctor, at any size; of the others as many as come to them.
HIS = 1_000
LONG = 1_001  # the number of the chat in which a tenth of everything was said
# Ids tell their number; the instants of chats lie a minute apart, those of messages a second.
CONNECTIONS = """
    INSERT INTO connections_connection
        (id, created_at, patient_id, doctor_id, status, origin, connected_at, available_days)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, now(),
           (%(patients)s::uuid[])[n - %(first)s + 1],
           (%(doctors)s::uuid[])[CASE WHEN n < %(his)s THEN 1 ELSE 2 + n %% %(others)s END],
           'ACTIVE', 'QR', now() - interval '1 year', '{}'
    FROM generate_series(%(first)s, %(last)s - 1) AS n
"""
CHATS = """
    INSERT INTO chat_chat
        (id, created_at, connection_id, last_seq, active_at, awaiting_since, settled_seq)
    SELECT id, created_at, id, 0, now() - n * interval '1 minute',
           CASE WHEN n %% 5 = 0 THEN now() - n * interval '1 minute' END, 0
    FROM connections_connection,
         LATERAL (SELECT ('x' || right(id::text, 12))::bit(48)::bigint AS n) AS numbered
    WHERE n >= %(first)s
"""
MESSAGES = """
    INSERT INTO chat_message
        (id, created_at, chat_id, sender_id, seq, kind, client_id, content, prescription_id,
         target_id)
    SELECT gen_random_uuid(), active_at - (many - seq) * interval '1 second', chat.id,
           CASE WHEN seq %% 2 = 0 THEN doctor_id ELSE patient_id END, seq, 'MESSAGE',
           gen_random_uuid(), 'Good morning, doctor. The measure of today is number ' || seq, NULL,
           NULL
    FROM chat_chat AS chat JOIN connections_connection AS pair ON pair.id = connection_id,
         LATERAL (SELECT ('x' || right(chat.id::text, 12))::bit(48)::bigint AS n) AS numbered,
         LATERAL (SELECT CASE WHEN n = %(long)s THEN %(longest)s ELSE %(each)s END AS many) AS size,
         LATERAL generate_series(1, many) AS seq
    WHERE chat.last_seq = 0
"""
RETRACTIONS = """
    INSERT INTO chat_message
        (id, created_at, chat_id, sender_id, seq, kind, client_id, content, prescription_id,
         target_id)
    SELECT gen_random_uuid(), chat.active_at, chat.id, said.sender_id, last.seq + 1, 'RETRACTION',
           gen_random_uuid(), '', NULL, said.id
    FROM chat_chat AS chat JOIN chat_message AS said ON said.chat_id = chat.id AND said.seq = 2,
         LATERAL (SELECT max(seq) AS seq FROM chat_message WHERE chat_id = chat.id) AS last
    WHERE chat.last_seq = 0 AND ('x' || right(chat.id::text, 12))::bit(48)::bigint %% 10 = 0
"""
COUNTERS = """
    UPDATE chat_chat SET last_seq = last.seq
    FROM (SELECT chat_id, max(seq) AS seq FROM chat_message GROUP BY chat_id) AS last
    WHERE chat_id = chat_chat.id AND last_seq = 0
"""
# The doctor has not read the last three of every fourth, and was told so but for twenty of all.
PLACES = """
    INSERT INTO chat_participant
        (id, created_at, chat_id, user_id, last_delivered_seq, last_read_seq, told_seq)
    SELECT gen_random_uuid(), now(), chat.id, person, last_seq,
           CASE WHEN person = doctor_id AND n %% 4 = 0 THEN last_seq - 3 ELSE last_seq END,
           CASE WHEN n < 80 THEN 0 ELSE last_seq END
    FROM chat_chat AS chat JOIN connections_connection AS pair ON pair.id = connection_id,
         LATERAL (SELECT ('x' || right(chat.id::text, 12))::bit(48)::bigint AS n) AS numbered,
         LATERAL unnest(ARRAY[patient_id, doctor_id]) AS person
    WHERE n >= %(first)s
"""


def people(count: int, role: str) -> list[User]:
    return User.objects.bulk_create(
        (
            User(email=f"{uuid7()}@medisync.example", role=role, status="ACTIVE", password="!")
            for _ in range(count)
        ),
        batch_size=5_000,
    )


def fill(first: int, last: int, each: int, longest: int, doctors: list[User]) -> None:
    """Chats of these numbers; what holds their order is let go meanwhile."""
    told = {
        "first": first, "last": last, "each": each, "long": LONG, "longest": longest, "his": HIS,
        "others": DOCTORS - 1, "doctors": [one.pk for one in doctors],
        "patients": [one.pk for one in people(last - first, "PATIENT")],
    }  # fmt: skip
    tables = ("chat_chat", "chat_message", "chat_participant")
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in (CONNECTIONS, CHATS, MESSAGES, RETRACTIONS, COUNTERS, PLACES):
            cursor.execute(statement, told)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def page(person: User, cursor: str = "", *, awaiting: bool = False) -> Any:
    request = RequestFactory(SERVER_NAME="localhost").get(f"/chats?{cursor}")
    found = reading.list_chats(actor=person, awaiting=awaiting)
    shown = feed_page(request, found, TurnPagination)
    return shown.older, reading.lines_of(actor=person, chats=shown.rows)


def middle(person: User) -> str:
    """Where half of the list is behind."""
    older, _ = page(person, "limit=100")
    for _ in range(4):
        older, _ = page(person, older.lstrip("?"))
    return older.lstrip("?")


def questions() -> dict[str, Callable[[], Any]]:
    chats = Chat.objects.with_people().order_by("id")
    plain, long = chats[10], chats[LONG]
    doctor, patient, other = plain.connection.doctor, plain.connection.patient, long.connection
    deep = middle(doctor)
    half = long.last_seq // 2
    mine = Message.objects.filter(chat=plain, sender=patient).earliest("seq")
    by = {"actor": patient, "chat": plain}
    of_long = {"actor": other.patient, "chat": long}
    return {
        "a doctor's list": lambda: page(doctor),
        "the same, in the middle": lambda: page(doctor, deep),
        "those who wait": lambda: page(doctor, awaiting=True),
        "a patient's list": lambda: page(patient),
        "unread, all of a doctor's": lambda: reading.unread_count(actor=doctor),
        "unread, one chat": lambda: reading.unread_count(actor=doctor, chat=plain),
        "newest messages": lambda: reading.messages_before(**by),
        "newest of the long chat": lambda: reading.messages_before(**of_long),
        "resume in the long chat": lambda: reading.entries_after(**of_long, seq=half),
        "search, found": lambda: reading.messages_before(**by, query="measure"),
        "search, not found": lambda: reading.messages_before(**by, query="headache"),
        "search in the long chat, not found": lambda: reading.messages_before(
            **of_long, query="headache"
        ),
        "send": lambda: messages.send_message(
            actor=patient, chat_id=plain.pk, client_id=uuid7(), content="And again."
        ),
        "withdraw": lambda: messages.retract_message(actor=patient, message_id=mine.pk),
        "mark read": lambda: places.mark_read(actor=doctor, chat_id=plain.pk, seq=5),
        "whom to tell": lambda: telling.waiting(timezone.now()),
    }


def shortest(act: Callable[[], Any]) -> float:
    """In milliseconds; what it wrote is undone each time."""
    times = []
    for _ in range(ROUNDS):
        with transaction.atomic():
            began = time.perf_counter()
            act()
            times.append(time.perf_counter() - began)
            transaction.set_rollback(True)
    return min(times) * 1000


def planned(act: Callable[[], Any]) -> tuple[int, list[str]]:
    """How many pages of 8 KiB PostgreSQL touches for it, and by which ways."""
    with CaptureQueriesContext(connection) as asked, transaction.atomic():
        act()
        transaction.set_rollback(True)
    touched, ways = 0, []
    with transaction.atomic(), connection.cursor() as cursor:
        for query in asked.captured_queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query['sql']}")
                plan = cursor.fetchone()[0][0]["Plan"]
                touched += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
                ways += scans(plan)
        transaction.set_rollback(True)
    return touched, ways


def scans(plan: dict[str, Any]) -> list[str]:
    """How each table of a plan is read: by which index, how often, how many rows at a time."""
    found = [way for part in plan.get("Plans", ()) for way in scans(part)]
    if "Relation Name" in plan or "Index Name" in plan:
        name = plan.get("Index Name") or f"all of {plan['Relation Name']}"
        if plan["Node Type"] == "Bitmap Heap Scan":
            return found
        rows, loops = plan["Actual Rows"], plan["Actual Loops"]
        found.append(f"{plan['Node Type']}: {name} ({rows:.0f} rows x {loops})")
    return found


def measure() -> dict[str, tuple[float, int, list[str]]]:
    return {name: (shortest(act), *planned(act)) for name, act in questions().items()}


def main(count: int) -> None:
    call_command("migrate", verbosity=0)
    doctors = people(DOCTORS, "DOCTOR")
    fill(0, HIS + 2, 10, 1_000, doctors)
    few = measure()
    each, chats = 18, count // 20
    fill(HIS + 2, chats, each, 0, doctors)
    with transaction.atomic(), connection.cursor() as cursor:
        lengthen(cursor, count // 10)
    many = measure()
    print(f"{Message.objects.count():,} messages, {Chat.objects.count():,} chats")
    whole = []
    for name, (ms, touched, ways) in many.items():
        before, touched_before, _ = few[name]
        print(
            f"  {name:<36} {before:8.2f} ms {ms:8.2f} ms   x {ms / before:5.2f}"
            f"   {touched_before:6} {touched:6} pages"
        )
        whole += [(name, way) for way in ways if way.startswith("Seq Scan: all of chat_message")]
    print("\nPlans")
    for name, (_, _, ways) in many.items():
        print(f"  {name}", *ways, sep="\n      ")
    assert not whole, whole


def lengthen(cursor: Any, longest: int) -> None:
    """More of the long chat."""
    long = Chat.objects.select_related("connection").order_by("id")[LONG]
    cursor.execute("ALTER TABLE chat_message DISABLE TRIGGER USER")
    cursor.execute("ALTER TABLE chat_chat DISABLE TRIGGER USER")
    cursor.execute(
        """
        INSERT INTO chat_message (id, created_at, chat_id, sender_id, seq, kind, client_id, content)
        SELECT gen_random_uuid(), now() - interval '1 hour' + seq * interval '1 millisecond', %s,
               %s, seq, 'MESSAGE', gen_random_uuid(), 'The measure of today is number ' || seq
        FROM generate_series(%s, %s) AS seq
        """,
        [long.pk, long.doctor_id, long.last_seq + 1, longest],
    )
    Chat.objects.filter(pk=long.pk).update(last_seq=longest)
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("ALTER TABLE chat_message ENABLE TRIGGER USER")
    cursor.execute("ALTER TABLE chat_chat ENABLE TRIGGER USER")


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else MANY)
    finally:
        connection.close()
        clean_up()
