"""Saying something, and withdrawing it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.live import tell_of_entry
from chat.models import Chat, Message
from chat.policies import check_can_converse, check_can_retract
from chat.services.chats import awaiting_since, people_of
from chat.services.holding import lock_chat, lock_speaker
from common.errors import DomainError, InvalidInput
from common.ids import uuid7
from common.lines import is_visible
from common.throttling import TooManyRequests
from prescriptions.models import Prescription
from prescriptions.services.texts import check_text

MOST_A_MINUTE = 60
A_MINUTE = dt.timedelta(minutes=1)


class ClientIdUsed(DomainError):
    code = "client_id_used"
    detail = _("Another message was sent under this client_id.")


@transaction.atomic
def send_message(
    *,
    actor: Any,
    chat_id: UUID,
    client_id: UUID,
    content: str,
    prescription_id: UUID | None = None,
) -> Message:
    """Say something to the other side: at most 5,000 characters, 60 messages a minute.

    Sending again under the same `client_id` returns the first, which is all that happens, also
    after the two parted; with other words it is refused. Once this returns and commits, the
    message is kept.
    """
    actor, chat = lock_chat(actor=actor, chat_id=chat_id)
    content = _as_written(content, prescription_id)
    lock_speaker(actor)
    sent = _sent_before(actor, chat, client_id)
    if sent is not None:
        return _same(sent, chat, content, prescription_id)
    check_can_converse(actor, chat.connection)
    _check_rate(actor, timezone.now())
    _check_mentionable(actor, chat, prescription_id)
    entry = Message(
        chat=chat,
        sender=actor,
        client_id=client_id,
        content=content,
        prescription_id=prescription_id,
    )
    if actor.pk == chat.doctor_id:
        chat.awaiting_since = None
    else:
        chat.awaiting_since = chat.awaiting_since or entry.created_at
    _add(entry, chat)
    return entry


@transaction.atomic
def retract_message(*, actor: Any, message_id: UUID) -> Message:
    """Withdraw what one has said: both sides see that something was, and no longer what. The
    withdrawal is an entry of its own, so that whoever was away learns of it in its turn."""
    seen = Message.objects.visible_to(actor).filter(pk=message_id).first()
    if seen is None:
        raise Http404
    actor, chat = lock_chat(actor=actor, chat_id=seen.chat_id)
    message = Message.objects.with_details().get(pk=message_id)
    message.chat = chat
    check_can_retract(actor, message)
    entry = Message(
        chat=chat, sender=actor, kind=Message.Kind.RETRACTION, client_id=uuid7(), target=message
    )
    _add(entry, chat)
    chat.awaiting_since = awaiting_since(chat)
    chat.save(update_fields=["awaiting_since"])
    return entry


def _add(entry: Message, chat: Chat) -> None:
    """Number it, and write it down; the chat is held."""
    chat.last_seq += 1
    chat.active_at = entry.created_at
    chat.save(update_fields=["last_seq", "active_at", "awaiting_since"])
    entry.seq = chat.last_seq
    entry.save(force_insert=True)
    entry.mark_as_standing()
    tell_of_entry(entry, people_of(chat))


def _as_written(content: str, prescription_id: UUID | None) -> str:
    content = content.strip()
    check_text(content.replace("\t", " "), attr="content")
    if not is_visible(content) and (content or prescription_id is None):
        raise InvalidInput(_("Write something."), attr="content")
    if len(content) > Message.MAX_LENGTH:
        raise InvalidInput(_("A message has 5,000 characters at most."), attr="content")
    return content


def _sent_before(actor: Any, chat: Chat, client_id: UUID) -> Message | None:
    """What the actor sent under this id, in whichever chat. Its key is asked for first: almost
    never is there one, and all of it is a query that costs as much as the rest of sending."""
    known = Message.objects.filter(sender=actor, client_id=client_id).order_by()
    keys = known.values_list("pk", flat=True)
    if not keys:
        return None
    sent = Message.objects.with_details().get(pk=keys[0])
    if sent.chat_id == chat.pk:
        sent.chat = chat
    return sent


def _same(sent: Message, chat: Chat, content: str, prescription_id: UUID | None) -> Message:
    """The message that was sent under this id before, if it says the same."""
    before = (sent.chat_id, sent.content, sent.prescription_id, sent.kind)
    if before != (chat.pk, content, prescription_id, Message.Kind.MESSAGE):
        raise ClientIdUsed(attr="client_id")
    return sent


def _check_rate(actor: Any, now: dt.datetime) -> None:
    """Counted in the rows themselves, so by whichever door and process they came."""
    since = now - A_MINUTE
    sent = Message.objects.filter(sender=actor, created_at__gt=since).order_by("-created_at")
    oldest = sent.values_list("created_at", flat=True)[MOST_A_MINUTE - 1 : MOST_A_MINUTE]
    if oldest:
        raise TooManyRequests(max(1, round((oldest[0] - since).total_seconds())))


def _check_mentionable(actor: Any, chat: Chat, prescription_id: UUID | None) -> None:
    """One of this patient's, which the sender may read."""
    if prescription_id is None:
        return
    readable = Prescription.objects.visible_to(actor).filter(patient_id=chat.patient_id)
    if not readable.filter(pk=prescription_id).exists():
        raise InvalidInput(_("There is no such prescription."), attr="prescription_id")
