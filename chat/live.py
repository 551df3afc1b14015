"""What open sockets are told of chats: after the commit, and never the only copy.

A chat's group has the sockets that joined it, and carries what is said. The group of a user
carries that something was said, and no word of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from chat.models import Chat, Message
from common.live import Announcement, announce, announce_all, user_group


def chat_group(chat_id: Any) -> str:
    """Sockets that have joined this chat."""
    return f"chat.{chat_id}"


def entry_frame(entry: Message) -> dict[str, Any]:
    """An entry of the log, as sockets carry it."""
    if entry.kind == Message.Kind.RETRACTION:
        return {
            "type": "chat.retracted",
            "chat_id": str(entry.chat_id),
            "seq": entry.seq,
            "message_id": str(entry.target_id),
        }
    return {
        "type": "chat.message",
        "chat_id": str(entry.chat_id),
        "seq": entry.seq,
        "id": str(entry.pk),
        "sender_id": str(entry.sender_id),
        "client_id": str(entry.client_id),
        "content": entry.text,
        "is_retracted": entry.is_retracted,
        "prescription_id": str(entry.prescription_id) if entry.prescription_id else None,
        "sent_at": entry.created_at,
    }


def tell_of_entry(entry: Message, people: Iterable[UUID]) -> None:
    """To those who have joined the chat, word for word; to all devices of both, that it is."""
    said = (chat_group(entry.chat_id), entry_frame(entry))
    announce_all([said, *_activity(entry.chat, people)])


def tell_of_activity(chat: Chat, people: Iterable[UUID]) -> None:
    announce_all(_activity(chat, people))


def _activity(chat: Chat, people: Iterable[UUID]) -> list[Announcement]:
    frame = {"type": "chat.activity", "chat_id": str(chat.pk), "last_seq": chat.last_seq}
    return [(user_group(person), frame) for person in people]


def tell_of_place(chat_id: UUID, *, kind: str, user_id: UUID, seq: int) -> None:
    """How far one of the two has come: `chat.read`, or `chat.delivered`."""
    frame = {"type": kind, "chat_id": str(chat_id), "user_id": str(user_id), "seq": seq}
    announce(chat_group(chat_id), frame)
