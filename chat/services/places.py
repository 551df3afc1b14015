"""How far the two have come: delivered, and read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Greatest
from django.http import Http404

from chat.live import tell_of_place
from chat.models import Chat, Message, Participant

DELIVERED, READ = "delivered", "read"


def mark_delivered(*, actor: Any, chat_id: UUID, seq: int) -> int:
    """Up to here the entries have reached a device of theirs. Returns up to where, by now."""
    return _come_to(_place(actor, chat_id), seq, what=DELIVERED)


def mark_given_out(*, actor: Any, chat: Chat, entries: Sequence[Message]) -> None:
    """What a client is handed has reached it: entries that follow one another, up to the last of
    them. "Delivered" means everything up to there; where something that another said before the
    first has not arrived yet, nothing is marked."""
    if not entries:
        return
    place, first = _place(actor, chat.pk), entries[0].seq
    if place.last_delivered_seq < first - 1 and _is_missing(actor, place, before=first):
        return
    _come_to(place, entries[-1].seq, what=DELIVERED)


def mark_read(*, actor: Any, chat_id: UUID, seq: int) -> int:
    """Up to here they have read; never less than before, nor more than there is. Returns up to
    where, by now."""
    return _come_to(_place(actor, chat_id), seq, what=READ)


def mark_all_read(*, actor: Any, chat_id: UUID) -> int:
    """As `mark_read`, up to the newest entry."""
    place = _place(actor, chat_id)
    return _come_to(place, place.chat.last_seq, what=READ)


def mark_message_read(*, actor: Any, message_id: UUID) -> tuple[UUID, int]:
    """As `mark_read`, by a message. Returns in which chat, too."""
    message = Message.objects.visible_to(actor).filter(pk=message_id).first()
    if message is None:
        raise Http404
    return message.chat_id, mark_read(actor=actor, chat_id=message.chat_id, seq=message.seq)


def _place(actor: Any, chat_id: UUID) -> Participant:
    own = Participant.objects.filter(user_id=actor.pk, chat__in=Chat.objects.visible_to(actor))
    place = own.select_related("chat__connection").filter(chat=chat_id).first()
    if place is None:
        raise Http404
    return place


def _is_missing(actor: Any, place: Participant, *, before: int) -> bool:
    said = Message.objects.visible_to(actor).standing().exclude(sender_id=actor.pk)
    between = {"seq__gt": place.last_delivered_seq, "seq__lt": before}
    return said.filter(chat=place.chat_id, **between).exists()


@transaction.atomic
def _come_to(place: Participant, seq: int, *, what: str) -> int:
    """One conditional UPDATE, for whoever comes in between. What the other side is shown goes
    along while the connection stands, and stands still afterwards."""
    chat, seq = place.chat, min(seq, place.chat.last_seq)
    here: int = getattr(place, f"last_{what}_seq")
    if not chat.is_live and place.user_id == chat.doctor_id:
        # What was said to a doctor is theirs to read while the connection stands.
        return here
    sides = ("last", "shown") if chat.is_live else ("last",)
    behind = Q(*((f"{side}_{what}_seq__lt", seq) for side in sides), _connector=Q.OR)
    parts = (DELIVERED, READ) if what == READ else (DELIVERED,)
    names = [f"{side}_{part}_seq" for side in sides for part in parts]
    moved = Participant.objects.filter(behind, pk=place.pk)
    if moved.update(**{name: Greatest(name, seq) for name in names}) and chat.is_live:
        tell_of_place(chat.pk, kind=f"chat.{what}", user_id=place.user_id, seq=seq)
    return max(here, seq)
