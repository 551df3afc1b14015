"""Opening a chat, and settling what a patient waits for."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction

from chat.live import tell_of_activity
from chat.models import Chat, Message, Participant
from chat.policies import check_can_converse, check_can_settle
from chat.services.holding import lock_chat
from connections.services.pairs import lock_connection


@transaction.atomic
def open_chat(*, actor: Any, connection_id: UUID) -> Chat:
    """The chat of a connection, which is made when one of the two first opens it. One that is
    there opens also after they parted, to read."""
    chat = Chat.objects.visible_to(actor).with_people().filter(connection=connection_id).first()
    if chat is not None:
        return chat
    # Of two who open it at once, the second finds the first's; of an end and an opening, too.
    _pair, connection = lock_connection(actor=actor, connection_id=connection_id)
    check_can_converse(actor, connection)
    chat, is_new = Chat.objects.get_or_create(connection=connection)
    if is_new:
        Participant.objects.bulk_create(
            Participant(chat=chat, user_id=person_id) for person_id in people_of(chat)
        )
    return chat


@transaction.atomic
def settle(*, actor: Any, chat_id: UUID) -> Chat:
    """The doctor says that what was written needs no answer. What is written next does again."""
    actor, chat = lock_chat(actor=actor, chat_id=chat_id)
    check_can_settle(actor, chat)
    chat.settled_seq, chat.awaiting_since = chat.last_seq, None
    chat.save(update_fields=["settled_seq", "awaiting_since"])
    tell_of_activity(chat, people_of(chat))
    return chat


def people_of(chat: Chat) -> tuple[UUID, UUID]:
    return chat.patient_id, chat.doctor_id


def awaiting_since(chat: Chat) -> dt.datetime | None:
    """Since when the doctor owes an answer, as the entries tell it; the chat is held."""
    standing = Message.objects.filter(chat=chat).standing()
    answers = standing.filter(sender_id=chat.doctor_id).order_by("-seq")
    answered = answers.values_list("seq", flat=True).first() or 0
    waiting = standing.filter(sender_id=chat.patient_id, seq__gt=max(answered, chat.settled_seq))
    found: dt.datetime | None = waiting.values_list("created_at", flat=True).first()
    return found
