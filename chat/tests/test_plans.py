"""However much was said, the number of unread messages, which every page asks for, goes by indexes.

`benchmarks/chat_lists.py` measures it with a million; here the plans among some thousands do.
"""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from chat.models import Chat
from chat.services.reading import lines_of, list_chats, unread_count
from chat.tests.factories import chat_of
from connections.tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db
CHATS, EACH = 10, 1_000
SAY = """
    INSERT INTO chat_message (id, created_at, chat_id, sender_id, seq, kind, client_id, content)
    SELECT gen_random_uuid(), now(), chat.id,
           CASE WHEN n % 2 = 0 THEN patient_id ELSE doctor_id END,
           n, 'MESSAGE', gen_random_uuid(), 'It hurts.'
    FROM chat_chat AS chat JOIN connections_connection AS pair ON pair.id = connection_id,
         generate_series(1, {each}) AS n
"""
READ = "UPDATE chat_participant SET last_delivered_seq = {each}, last_read_seq = {each} - {unread}"


@pytest.fixture
def crowded(doctor: User) -> None:
    """A doctor to whom everything is said."""
    for _ in range(CHATS):
        chat_of(ConnectionFactory(doctor=doctor))
    tables = ("chat_chat", "chat_message", "chat_participant")
    with database.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(SAY.format(each=EACH))
        Chat.objects.update(last_seq=EACH)


def come_to(unread: int) -> None:
    with database.cursor() as cursor:
        cursor.execute(READ.format(each=EACH, unread=unread))
        cursor.execute("ANALYZE chat_chat, chat_message, chat_participant")


def plan(sql: str) -> str:
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row for (row,) in cursor.fetchall())


@pytest.mark.usefixtures("crowded")
@pytest.mark.parametrize(("unread", "counted"), [(0, 0), (2, CHATS), (EACH, 100)])
def test_what_is_unread_is_counted_by_the_index_of_each_chat(
    doctor: User, unread: int, counted: int
) -> None:
    come_to(unread)

    with CaptureQueriesContext(database) as asked:
        assert unread_count(actor=doctor) == counted

    [question] = [one["sql"] for one in asked]
    assert "Seq Scan on chat_message" not in plan(question)


@pytest.mark.usefixtures("crowded")
def test_so_are_those_of_a_list(doctor: User) -> None:
    come_to(EACH)
    chats = list(list_chats(actor=doctor))

    with CaptureQueriesContext(database) as asked:
        lines = lines_of(actor=doctor, chats=chats)

    assert [line.unread_count for line in lines] == [100] * CHATS
    counting = [one["sql"] for one in asked if "count(*)" in one["sql"]]
    assert len(counting) == 1
    assert "Seq Scan on chat_message" not in plan(counting[0])
