"""A chat, held still while something is said in it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404

from accounts.models import User
from chat.models import Chat
from connections.models import Connection

# The lock that a message's foreign keys take, before the connection's: who anonymises a person
# holds the account first, too.
KEPT = "SELECT * FROM accounts_user WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"


def lock_chat(*, actor: Any, chat_id: UUID) -> tuple[Any, Chat]:
    """The chat with its connection, locked until the end of the transaction, and the actor as the
    table has them now: whoever speaks may have been suspended since their socket was opened.

    The connection's lock is what ends and blocks take: of an end and a message at once, the
    second sees the first. Entries of one chat queue here, which is what numbers them.
    """
    seen = Chat.objects.visible_to(actor).filter(pk=chat_id).select_related("connection").first()
    if seen is None:
        raise Http404
    people = _kept(seen.connection)
    chat = (
        Chat.objects.select_for_update(of=("self", "connection"), no_key=True)
        .select_related("connection")
        .get(pk=chat_id)
    )
    chat.connection.patient = people[chat.patient_id]
    chat.connection.doctor = people[chat.doctor_id]
    return people[actor.pk], chat


def _kept(connection: Connection) -> dict[UUID, User]:
    ids = [connection.patient_id, connection.doctor_id]
    return {user.pk: user for user in User.objects.raw(KEPT, [ids])}
