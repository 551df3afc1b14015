"""A conversation as its page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chat.models import Chat, Message
from chat.models.chats import Place
from chat.policies import can_retract
from chat.services.reading import Page, entries_after, messages_before, places_of
from prescriptions.models import Prescription

# As many as fill a few screens of a phone.
SHOWN = 40


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a conversation, up to which number, and whether it goes on at either end."""

    entries: Sequence[Message]
    last_seq: int
    has_older: bool
    has_newer: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry. `state` says how far a message of the reader's own has come. A prescription is
    there if the reader may open it."""

    entry: Message
    is_mine: bool
    state: str = ""
    prescription: Prescription | None = None
    can_retract: bool = False


def newest(actor: Any, chat: Chat, unread_from: int | None) -> Window:
    """The end of it, or the first that is unread, where that is further up."""
    page = messages_before(actor=actor, chat=chat, limit=SHOWN)
    first = page.entries[0].seq if page.entries else 0
    if unread_from is not None and unread_from < first:
        return around(actor, chat, unread_from)
    return Window(page.entries, chat.last_seq, has_older=page.has_more, has_newer=False)


def before(actor: Any, chat: Chat, seq: int) -> Window:
    page = messages_before(actor=actor, chat=chat, seq=seq, limit=SHOWN)
    last_seq = min(seq - 1, chat.last_seq)
    has_newer = last_seq < chat.last_seq
    return Window(page.entries, last_seq, has_older=page.has_more, has_newer=has_newer)


def after(actor: Any, chat: Chat, seq: int) -> Window:
    page = entries_after(actor=actor, chat=chat, seq=seq, limit=SHOWN)
    older = messages_before(actor=actor, chat=chat, seq=seq + 1, limit=1)
    has_older = bool(older.entries)
    return Window(page.entries, _end(page, chat), has_older=has_older, has_newer=page.has_more)


def around(actor: Any, chat: Chat, seq: int) -> Window:
    """What was said before and after it."""
    older = messages_before(actor=actor, chat=chat, seq=seq, limit=SHOWN // 2)
    later = entries_after(actor=actor, chat=chat, seq=seq - 1, limit=SHOWN // 2)
    entries = [*older.entries, *later.entries]
    last_seq = _end(later, chat)
    return Window(entries, last_seq, has_older=older.has_more, has_newer=later.has_more)


def shown(actor: Any, chat: Chat, entries: Sequence[Message]) -> list[Shown]:
    """Messages and withdrawals, as the actor sees them."""
    place = other_place(actor, chat)
    mentioned = _mentioned(actor, entries)
    return [_one(actor, chat, entry, place, mentioned) for entry in entries]


def other_place(actor: Any, chat: Chat) -> Place:
    """How far the other side has come."""
    other_id = chat.connection.other_side(actor).pk
    return places_of(actor=actor, chat=chat)[other_id]


def unread_from(actor: Any, chat: Chat) -> int | None:
    """The number of the first message that the actor has not read."""
    unread = Message.objects.unread_by(actor).filter(chat=chat).order_by("seq")
    return unread.values_list("seq", flat=True).first()


def _end(later: Page, chat: Chat) -> int:
    return later.entries[-1].seq if later.has_more else chat.last_seq


def _mentioned(actor: Any, entries: Sequence[Message]) -> dict[UUID, Prescription]:
    ids = {entry.prescription_id for entry in entries if entry.prescription_id}
    return Prescription.objects.visible_to(actor).in_bulk(ids) if ids else {}


def _one(
    actor: Any,
    chat: Chat,
    entry: Message,
    place: Place,
    mentioned: dict[UUID, Prescription],
) -> Shown:
    entry.chat = chat
    is_mine = entry.sender_id == actor.pk
    return Shown(
        entry,
        is_mine,
        state=_state(entry.seq, place) if is_mine else "",
        prescription=mentioned.get(entry.prescription_id) if entry.prescription_id else None,
        can_retract=is_mine and can_retract(actor, entry),
    )


def _state(seq: int, place: Place) -> str:
    if seq <= place.read_seq:
        return "read"
    return "delivered" if seq <= place.delivered_seq else "sent"
