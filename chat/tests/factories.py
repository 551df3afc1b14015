"""Chats for tests, opened and written in as people do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.models import User
from chat.models import Chat, Message, Participant
from chat.services.chats import open_chat
from chat.services.messages import send_message
from common.ids import uuid7
from connections.models import Connection


def chat_of(connection: Connection) -> Chat:
    return open_chat(actor=connection.patient, connection_id=connection.pk)


def say(chat: Chat, sender: User, content: str = "Good morning", **more: Any) -> Message:
    client_id: UUID = more.pop("client_id", None) or uuid7()
    return send_message(actor=sender, chat_id=chat.pk, client_id=client_id, content=content, **more)


def place_of(chat: Chat, user: User) -> tuple[int, int, int]:
    """Delivered, read, and told of up to."""
    place = Participant.objects.get(chat=chat, user=user)
    return place.last_delivered_seq, place.last_read_seq, place.told_seq


def log_of(chat: Chat) -> list[int]:
    """The numbers of its entries, in the order of their making."""
    return list(Message.objects.filter(chat=chat).order_by("id").values_list("seq", flat=True))
