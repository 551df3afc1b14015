"""How far the two have come: delivered, and read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Greatest
from django.http import Http404

from chat.live import tell_of_place
from chat.models import Chat, Message, Participant


def mark_delivered(*, actor: Any, chat_id: UUID, seq: int) -> int:
    """Up to here the entries have reached a device of theirs. Returns up to where, by now."""
    return _come_to(actor, chat_id, seq, kind="chat.delivered")


def mark_read(*, actor: Any, chat_id: UUID, seq: int) -> int:
    """Up to here they have read; never less than before, nor more than there is. Returns up to
    where, by now."""
    return _come_to(actor, chat_id, seq, kind="chat.read")


def mark_all_read(*, actor: Any, chat_id: UUID) -> int:
    """As `mark_read`, up to the newest entry."""
    return _come_to(actor, chat_id, None, kind="chat.read")


def mark_message_read(*, actor: Any, message_id: UUID) -> tuple[UUID, int]:
    """As `mark_read`, by a message. Returns in which chat, too."""
    message = Message.objects.visible_to(actor).filter(pk=message_id).first()
    if message is None:
        raise Http404
    return message.chat_id, mark_read(actor=actor, chat_id=message.chat_id, seq=message.seq)


@transaction.atomic
def _come_to(actor: Any, chat_id: UUID, seq: int | None, *, kind: str) -> int:
    chat = Chat.objects.visible_to(actor).select_related("connection").filter(pk=chat_id).first()
    if chat is None:
        raise Http404
    seq = chat.last_seq if seq is None else min(seq, chat.last_seq)
    is_read = kind == "chat.read"
    mine = Participant.objects.filter(chat=chat, user_id=actor.pk)
    if not chat.is_live and actor.pk == chat.doctor_id:
        # What was said to a doctor is theirs to read while the connection stands.
        return _as_it_is(mine, is_read=is_read)
    behind = Q(last_read_seq__lt=seq) if is_read else Q(last_delivered_seq__lt=seq)
    changes: dict[str, Any] = {"last_delivered_seq": Greatest("last_delivered_seq", seq)}
    if is_read:
        changes["last_read_seq"] = seq
    if mine.filter(behind).update(**changes):
        if chat.is_live:
            tell_of_place(chat.pk, kind=kind, user_id=actor.pk, seq=seq)
        return seq
    return _as_it_is(mine, is_read=is_read)


def _as_it_is(mine: QuerySet[Participant], *, is_read: bool) -> int:
    place = mine.get()
    return place.last_read_seq if is_read else place.last_delivered_seq
