"""What sockets ask and do, each as one call on a thread; the rules are those of the services.

Each call asks first whether the session still stands, and of what state its user is now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.services.sessions import SessionEnded, find_live_session
from chat.frames import Frame
from chat.live import entry_frame
from chat.models import Chat, Message
from chat.policies import check_can_converse
from chat.services.messages import retract_message, send_message
from chat.services.places import mark_delivered, mark_read
from chat.services.reading import entries_after, places_of
from common.consumers import NothingHere
from common.threads import in_database
from connections.models import Connection
from connections.policies import ConnectionEnded

# A frame carries about so many characters; what is more comes with the next.
MOST_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Missed:
    """Entries behind a number, in order, and whether there are more."""

    entries: list[Frame]
    has_more: bool


@dataclass(frozen=True, slots=True)
class ChatAtJoining:
    """A chat as it stood when a socket joined it."""

    connection_id: UUID
    other_id: UUID
    last_seq: int
    missed: Missed
    places: dict[str, dict[str, int]]


@in_database
def look_into(session_id: UUID | None, chat_id: UUID, after: int | None) -> ChatAtJoining:
    """A chat that is live to the session's user, and what they missed in it."""
    actor = _actor(session_id)
    chat = _live_chat(actor, chat_id)
    # Read before the entries, so never ahead of them.
    seq = chat.last_seq if after is None else min(after, chat.last_seq)
    missed = Missed([], has_more=False) if after is None else _missed(actor, chat, seq)
    places = {
        str(user_id): {"delivered": place.delivered_seq, "read": place.read_seq}
        for user_id, place in places_of(actor=actor, chat=chat).items()
    }
    other_id = chat.doctor_id if actor.pk == chat.patient_id else chat.patient_id
    return ChatAtJoining(chat.connection_id, other_id, chat.last_seq, missed, places)


@in_database
def look_behind(session_id: UUID | None, chat_id: UUID, seq: int) -> Missed | None:
    """What came behind a number; None once the chat is not live to them any more."""
    actor = _actor(session_id)
    try:
        return _missed(actor, _live_chat(actor, chat_id), seq)
    except (ConnectionEnded, NothingHere):
        return None


@in_database
def how_they_stand(session_id: UUID | None, chat_ids: Iterable[UUID]) -> dict[str, int]:
    """The newest number of each chat that is live to them."""
    live = Chat.objects.live_to(_actor(session_id)).filter(pk__in=chat_ids)
    return {str(pk): last_seq for pk, last_seq in live.values_list("pk", "last_seq").order_by()}


@in_database
def say(session_id: UUID | None, **words: Any) -> Frame:
    return _sent_frame(send_message(actor=_actor(session_id), **words))


@in_database
def withdraw(session_id: UUID | None, message_id: UUID) -> Frame:
    return _sent_frame(retract_message(actor=_actor(session_id), message_id=message_id))


@in_database
def come_to(session_id: UUID | None, chat_id: UUID, seq: int, kind: str) -> int:
    mark = mark_read if kind == "chat.read" else mark_delivered
    return mark(actor=_actor(session_id), chat_id=chat_id, seq=seq)


@in_database
def check_may_write(session_id: UUID | None, chat_id: UUID) -> None:
    actor = _actor(session_id)
    people = ("connection__patient", "connection__doctor")
    check_can_converse(actor, _chat(actor, chat_id, *people).connection)


@in_database
def check_are_joined(session_id: UUID | None, user_id: UUID) -> None:
    actor = _actor(session_id)
    pairs = Connection.objects.visible_to(actor).active()
    others = (
        pairs.filter(patient_id=user_id) if actor.is_doctor else pairs.filter(doctor_id=user_id)
    )
    if not others.exists():
        raise NothingHere


def _actor(session_id: UUID | None) -> User:
    """Asked anew for each frame: a session may have ended since the last."""
    session = find_live_session(session_id) if session_id else None
    if session is None:
        raise SessionEnded
    return session.user


def _chat(actor: User, chat_id: UUID, *related: str) -> Chat:
    chats = Chat.objects.visible_to(actor).select_related("connection", *related)
    chat = chats.filter(pk=chat_id).first()
    if chat is None:
        raise NothingHere
    return chat


def _live_chat(actor: User, chat_id: UUID) -> Chat:
    chat = _chat(actor, chat_id)
    if not chat.is_live:
        raise ConnectionEnded
    return chat


def _missed(actor: User, chat: Chat, seq: int) -> Missed:
    page = entries_after(actor=actor, chat=chat, seq=seq)
    frames, size = [], 0
    for entry in page.entries:
        frames.append(entry_frame(entry))
        size += len(entry.text)
        if size > MOST_CHARACTERS:
            break
    return Missed(frames, page.has_more or len(frames) < len(page.entries))


def _sent_frame(entry: Message) -> Frame:
    return {
        "type": "chat.sent",
        "chat_id": entry.chat_id,
        "seq": entry.seq,
        "id": entry.pk,
        "client_id": entry.client_id,
        "sent_at": entry.created_at,
    }
