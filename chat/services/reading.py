"""Reading a chat: by number, forwards and backwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Func, IntegerField, OuterRef, Subquery, Value
from django.http import Http404
from django.utils import timezone

from chat.models import Absence, Chat, Message, Participant
from chat.models.chats import ChatQuerySet, Place
from chat.models.messages import MessageQuerySet

MOST_AT_ONCE = 100
# What somebody may type to look for it.
LONGEST_QUERY = 100


class _Counted(Subquery):
    """How many rows a query has."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in the order of their numbers, and whether there are more that way."""

    entries: list[Message]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A chat as one of its two has it in their list."""

    chat: Chat
    unread_count: int
    last_message: Message | None
    places: list[Place]
    away: Absence | None


def list_chats(*, actor: Any, awaiting: bool = False) -> ChatQuerySet:
    """All of the actor's, in the order of `turn`; with `awaiting`, those that wait for a
    doctor's answer."""
    found = Chat.objects.visible_to(actor).with_people().with_turn(actor)
    return found.awaiting_reply() if awaiting else found


def lines_of(*, actor: Any, chats: Sequence[Chat]) -> list[Line]:
    """What a list shows of them, in as many queries for a hundred as for one."""
    ids = [chat.pk for chat in chats]
    last = Message.objects.visible_to(actor).said().filter(chat=OuterRef("pk")).order_by("-seq")
    told = {
        chat_id: (unread, last_id)
        for chat_id, unread, last_id in with_unread(Chat.objects.filter(pk__in=ids), actor)
        .annotate(last_id=Subquery(last.values("pk")[:1]))
        .values_list("pk", "unread_count", "last_id")
    }
    said = Message.objects.with_details().in_bulk([last_id for _, last_id in told.values()])
    places = defaultdict(list)
    for place in Participant.objects.filter(chat__in=ids):
        places[place.chat_id].append(place.seen_by(actor))
    # To those who have parted a doctor says nothing any more.
    doctors = [chat.doctor_id for chat in chats if chat.is_live]
    away = {
        absence.doctor_id: absence
        for absence in Absence.objects.current(timezone.now()).filter(doctor__in=doctors)
    }
    return [
        Line(
            chat=chat,
            unread_count=told[chat.pk][0],
            last_message=said.get(told[chat.pk][1]),
            places=places[chat.pk],
            away=away.get(chat.doctor_id) if chat.is_live else None,
        )
        for chat in chats
    ]


def unread_count(*, actor: Any, chat: Chat | None = None) -> int:
    """How many messages wait for the actor, in this chat or in all of theirs; counted up to
    `Message.COUNTED_TO`, which stands for that many or more, for every page asks."""
    behind = Chat.objects.visible_to(actor).filter(
        participants__user_id=actor.pk, last_seq__gt=F("participants__last_read_seq")
    )
    if chat is not None:
        behind = behind.filter(pk=chat.pk)
    found = with_unread(behind, actor).order_by().values_list("unread_count", flat=True)
    counts: list[int] = list(found)
    return min(sum(counts), Message.COUNTED_TO)


def find_chat(*, actor: Any, chat_id: UUID) -> Chat:
    """One that the actor may know of, with its people."""
    chat = Chat.objects.visible_to(actor).with_people().filter(pk=chat_id).first()
    if chat is None:
        raise Http404
    return chat


def entries_after(*, actor: Any, chat: Chat, seq: int, limit: int = MOST_AT_ONCE) -> Page:
    """What came after that number, the oldest first: messages and withdrawals alike."""
    found = list(_entries(actor, chat).filter(seq__gt=seq).order_by("seq")[: limit + 1])
    return Page(found[:limit], len(found) > limit)


def messages_before(
    *, actor: Any, chat: Chat, seq: int | None = None, limit: int = MOST_AT_ONCE, query: str = ""
) -> Page:
    """What was said before that number, the last of it, or the newest there is; with `query`,
    only what has those words, whatever their case, accents and Arabic letter forms. Withdrawals
    are no messages: what was withdrawn says so itself."""
    found = _entries(actor, chat).said()
    if seq is not None:
        found = found.filter(seq__lt=seq)
    if query:
        found = _containing(found, query)
    last = list(found.order_by("-seq")[: limit + 1])
    return Page(last[:limit][::-1], len(last) > limit)


def with_unread(chats: ChatQuerySet, user: Any) -> ChatQuerySet:
    """Each with `unread_count`, as this user has it, counted up to `Message.COUNTED_TO`: chat by
    chat, by the index of its entries behind the place, however many there are before it."""
    unread = Message.objects.unread_by(user).filter(chat=OuterRef("pk")).order_by()
    return chats.annotate(unread_count=_Counted(unread.values("pk")[: Message.COUNTED_TO]))


def places_of(*, actor: Any, chat: Chat) -> dict[UUID, Place]:
    """How far each of the two has come, by their ids, as the actor may know it."""
    places = Participant.objects.filter(chat=chat)
    return {place.user_id: place.seen_by(actor) for place in places}


def _entries(actor: Any, chat: Chat) -> MessageQuerySet:
    return Message.objects.visible_to(actor).filter(chat=chat).with_details()


def _containing(messages: MessageQuerySet, query: str) -> MessageQuerySet:
    words = Func(Value(query), function="search_fold")
    found = messages.standing().alias(words=words).exclude(words="")
    return found.filter(folded__contains=F("words"))
