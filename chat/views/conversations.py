"""One conversation, read."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateformat import time_format
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chat.forms import SendForm, SeqField
from chat.models import CannedReply, Chat, Message
from chat.policies import check_can_converse
from chat.services.help import absence_of
from chat.services.places import mark_given_out
from chat.services.reading import LONGEST_QUERY, entries_after, find_chat, messages_before
from chat.views import shown as showing
from chat.views.typed import typed
from common.errors import DomainError
from prescriptions.models import Prescription

# Of those that could be mentioned, the newest.
MENTIONABLE = 30
NOBODY = UUID(int=0)
MORNING, EVENING = dt.time(9), dt.time(21)


@never_cache
@require_safe
def chat_detail(request: HttpRequest, chat_id: UUID) -> HttpResponse:
    """What was said, from the first that is unread, or from where was asked for; with `q`, where
    those words are in it."""
    chat = find_chat(actor=request.user, chat_id=chat_id)
    query = typed(request, "q", longest=LONGEST_QUERY)
    if query:
        return _found(request, chat, query)
    form = SendForm.new(content=_begun(request))
    return chat_page(request, chat, form)


@never_cache
@require_safe
def chat_entries(request: HttpRequest, chat_id: UUID) -> HttpResponse:
    """A stretch of it for a page that is open: older, newer, or what came meanwhile. Withdrawals
    are among what came after, so that whoever asks again misses nothing."""
    chat = find_chat(actor=request.user, chat_id=chat_id)
    seq, earlier = _number(request, "after"), _number(request, "before", least=1)
    if earlier is not None:
        page = messages_before(actor=request.user, chat=chat, seq=earlier, limit=showing.SHOWN)
    else:
        page = entries_after(actor=request.user, chat=chat, seq=seq or 0)
    mark_given_out(actor=request.user, chat=chat, entries=page.entries)
    return entries_part(request, chat, page.entries, has_more=page.has_more)


def entries_part(
    request: HttpRequest,
    chat: Chat,
    entries: list[Message],
    *,
    has_more: bool = False,
    status: int = 200,
) -> HttpResponse:
    """Entries as a part of a page, with how far the other side has come."""
    context = {
        "chat": chat,
        "other": chat.connection.other_side(request.user),
        "entries": showing.shown(request.user, chat, entries),
        "place": showing.other_place(request.user, chat),
        "has_more": has_more,
    }
    return render(request, "chat/entries.html", context, status=status)


def chat_page(request: HttpRequest, chat: Chat, form: SendForm, status: int = 200) -> HttpResponse:
    user = request.user
    unread_from = showing.unread_from(user, chat)
    window = _window(request, chat, unread_from)
    mark_given_out(actor=user, chat=chat, entries=window.entries)
    form.initial["seen"] = window.last_seq
    form.offer(_mentionable(user, chat))
    context = {
        "chat": chat,
        "connection": chat.connection,
        "other": chat.connection.other_side(user),
        "window": window,
        "entries": showing.shown(user, chat, window.entries),
        "blank": _blank(user, chat),
        "place": showing.other_place(user, chat),
        "unread_from": unread_from,
        "last_seq": window.last_seq,
        "form": form,
        "longest_query": LONGEST_QUERY,
        "am": time_format(MORNING, "a"),
        "pm": time_format(EVENING, "a"),
        "refusal": _refusal(user, chat),
        "replies": CannedReply.objects.visible_to(user),
        "absence": absence_of(doctor_id=chat.doctor_id, at=timezone.now()),
    }
    return render(request, "chat/detail.html", context, status=status)


def _blank(user: Any, chat: Chat) -> showing.Shown:
    """What the page's script makes messages of."""
    entry = Message(
        pk=NOBODY, chat=chat, sender=user, seq=0, client_id=NOBODY, created_at=timezone.now()
    )
    return showing.Shown(entry, is_mine=True, state="sent", can_retract=True)


def _window(request: HttpRequest, chat: Chat, unread_from: int | None) -> showing.Window:
    for name, look, least in (
        ("at", showing.around, 0),
        ("before", showing.before, 1),
        ("after", showing.after, 0),
    ):
        seq = _number(request, name, least=least)
        if seq is not None:
            return look(request.user, chat, seq)
    return showing.newest(request.user, chat, unread_from)


def _found(request: HttpRequest, chat: Chat, query: str) -> HttpResponse:
    seq = _number(request, "before", least=1)
    page = messages_before(actor=request.user, chat=chat, seq=seq, limit=showing.SHOWN, query=query)
    context = {
        "chat": chat,
        "other": chat.connection.other_side(request.user),
        "query": query,
        "longest_query": LONGEST_QUERY,
        "entries": showing.shown(request.user, chat, page.entries[::-1]),
        "older_than": page.entries[0].seq if page.has_more else None,
        "is_first_page": seq is None,
    }
    return render(request, "chat/found.html", context)


def _refusal(user: Any, chat: Chat) -> str:
    """Why nothing can be written, in words; empty where something can."""
    try:
        check_can_converse(user, chat.connection)
    except DomainError as error:
        return str(error.detail)
    return ""


def _mentionable(user: Any, chat: Chat) -> list[tuple[UUID, str]]:
    """To patients, theirs by the medicine; to doctors, those they wrote, by the number: that they
    look at what is prescribed is on the record elsewhere, and here they do not."""
    mine = Prescription.objects.visible_to(user).filter(patient_id=chat.patient_id).current()
    if user.pk == chat.doctor_id:
        issued = mine.issued_by(user)[:MENTIONABLE]
        return [(one.pk, f"{one.number} · {date_format(one.issued_on)}") for one in issued]
    theirs = mine.prefetch_related("items")[:MENTIONABLE]
    return [
        (one.pk, f"{one.items.all()[0].medicine} · {one.number} · {date_format(one.issued_on)}")
        for one in theirs
    ]


def _begun(request: HttpRequest) -> str:
    """The words of the prepared reply that was chosen."""
    chosen = request.GET.get("reply", "")
    if not chosen:
        return ""
    try:
        reply = CannedReply.objects.visible_to(request.user).filter(pk=UUID(chosen)).first()
    except ValueError as error:
        raise Http404 from error
    return reply.content if reply else ""


def _number(request: HttpRequest, name: str, *, least: int = 0) -> int | None:
    if name not in request.GET:
        return None
    try:
        seq: int = SeqField(min_value=least).clean(request.GET[name])
    except ValidationError as error:
        raise Http404 from error
    return seq
