"""Reading a chat: by number, forwards and backwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Func, IntegerField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import Http404

from chat.models import Chat, Message, Participant
from chat.models.chats import ChatQuerySet
from chat.models.messages import MessageQuerySet

MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in the order of their numbers, and whether there are more that way."""

    chat: Chat
    entries: list[Message]
    has_more: bool


def find_chat(*, actor: Any, chat_id: UUID) -> Chat:
    """One that the actor may know of, with its people."""
    chat = Chat.objects.visible_to(actor).with_people().filter(pk=chat_id).first()
    if chat is None:
        raise Http404
    return chat


def entries_after(*, actor: Any, chat: Chat, seq: int, limit: int = MOST_AT_ONCE) -> Page:
    """What came after that number, the oldest first: messages and withdrawals alike."""
    found = list(_entries(actor, chat).filter(seq__gt=seq).order_by("seq")[: limit + 1])
    return Page(chat, found[:limit], len(found) > limit)


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
    return Page(chat, last[:limit][::-1], len(last) > limit)


def with_unread(chats: ChatQuerySet, user: Any) -> ChatQuerySet:
    """Each with `unread_count`, as this user has it."""
    unread = (
        Message.objects.unread_by(user)
        .filter(chat=OuterRef("pk"))
        .order_by()
        .values("chat")
        .annotate(count=Count("pk"))
        .values("count")
    )
    return chats.annotate(unread_count=Coalesce(Subquery(unread), 0, output_field=IntegerField()))


def places_of(chat: Chat) -> dict[UUID, Participant]:
    """How far each of the two has come, by their ids."""
    return {place.user_id: place for place in Participant.objects.filter(chat=chat)}


def _entries(actor: Any, chat: Chat) -> MessageQuerySet:
    return Message.objects.visible_to(actor).filter(chat=chat).with_details()


def _containing(messages: MessageQuerySet, query: str) -> MessageQuerySet:
    folded = Func("content", function="search_fold")
    words = Func(Value(query), function="search_fold")
    return messages.standing().alias(folded=folded).filter(folded__contains=words)
