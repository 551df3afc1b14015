"""A chat, held still while something is said in it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection
from django.http import Http404

from accounts.models import User
from chat.models import Chat

# The lock that a message's foreign keys take, before the connection's: who anonymises a person
# holds the account first, too.
KEPT = """
    SELECT person.* FROM accounts_user AS person
    JOIN connections_connection AS pair
        ON person.id = ANY(ARRAY[pair.patient_id, pair.doctor_id])
    JOIN chat_chat AS chat ON chat.connection_id = pair.id
    WHERE chat.id = %s AND %s IN (pair.patient_id, pair.doctor_id)
    ORDER BY person.id FOR KEY SHARE OF person
"""
# Any number: it keeps the keys of these locks from those of others.
SPEAKERS = 0x5A1D
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))"


def lock_chat(*, actor: Any, chat_id: UUID) -> tuple[Any, Chat]:
    """The chat with its connection, locked until the end of the transaction, and the actor as the
    table has them now: whoever speaks may have been suspended since their socket was opened.

    The connection's lock is what ends and blocks take: of an end and a message at once, the
    second sees the first. Entries of one chat queue here, which is what numbers them. Who is
    neither of the two locks nothing.
    """
    people = {user.pk: user for user in User.objects.raw(KEPT, [chat_id, actor.pk])}
    held = Chat.objects.select_for_update(of=("self", "connection"), no_key=True)
    try:
        chat = held.visible_to(actor).select_related("connection").get(pk=chat_id)
    except Chat.DoesNotExist:
        raise Http404 from None
    chat.connection.patient = people[chat.patient_id]
    chat.connection.doctor = people[chat.doctor_id]
    return people[actor.pk], chat


def lock_speaker(actor: Any) -> None:
    """Until the end of the transaction nobody else says something as this person, in whichever
    chat, so that what they have said can be counted. Taken last: whoever waits here holds a chat
    that nobody who goes on needs."""
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME, [str(actor.pk), SPEAKERS])
