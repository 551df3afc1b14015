"""What people do in a conversation.

The page's script asks as `X-Requested-With: fetch`, and is answered with a part of the page or
with JSON; whoever has no JavaScript is led back to the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from chat.forms import ReadForm, SendForm
from chat.models import Chat, Message
from chat.policies import check_can_retract
from chat.services import chats, messages, places
from chat.services.reading import find_chat
from chat.views.conversations import chat_page, entries_part
from common.errors import DomainError, InvalidInput
from common.pages import add_refusal, explained, with_status


@require_POST
def open_one(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """To the conversation of a connection; the first to come makes it."""
    chat = chats.open_chat(actor=request.user, connection_id=connection_id)
    return redirect(end_of(chat.pk))


@require_POST
def send(request: HttpRequest, chat_id: UUID) -> HttpResponse:
    """Say something. Whoever answers has read what they had before their eyes."""
    chat = find_chat(actor=request.user, chat_id=chat_id)
    form = SendForm(request.POST)
    try:
        entry = _send(request, chat, form)
    except DomainError as error:
        if is_script(request):
            return _problem(error)
        add_refusal(form, error)
        return with_status(chat_page(request, chat, form), error)
    if entry is None:
        return chat_page(request, chat, form, status=400)
    if is_script(request):
        return entries_part(request, chat, [entry], status=201)
    return redirect(end_of(chat.pk))


def _send(request: HttpRequest, chat: Chat, form: SendForm) -> Message | None:
    if not form.is_valid():
        if is_script(request):
            raise InvalidInput
        return None
    said = form.cleaned_data
    names = ("client_id", "content", "prescription_id")
    entry = messages.send_message(
        actor=request.user, chat_id=chat.pk, **{name: said[name] for name in names}
    )
    if said["seen"]:
        places.mark_read(actor=request.user, chat_id=chat.pk, seq=said["seen"])
    return entry


@require_POST
def read(request: HttpRequest, chat_id: UUID) -> HttpResponse:
    form = ReadForm(request.POST)
    if not form.is_valid():
        raise InvalidInput
    seq = places.mark_read(actor=request.user, chat_id=chat_id, **form.cleaned_data)
    if is_script(request):
        return JsonResponse({"seq": seq})
    return redirect(end_of(chat_id))


@require_POST
def settle(request: HttpRequest, chat_id: UUID) -> HttpResponse:
    return _done(
        request, end_of(chat_id), lambda: chats.settle(actor=request.user, chat_id=chat_id)
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def retract(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Asked once more, with what it means."""
    message = _own(request.user, message_id)
    where = f"{_address(message.chat_id)}?at={message.seq}#m-{message.seq}"
    if request.method != "POST":
        check_can_retract(request.user, message)
        return render(request, "chat/retract.html", {"message": message, "back_url": where})
    return _done(
        request,
        where,
        lambda: messages.retract_message(actor=request.user, message_id=message_id),
    )


def _done(request: HttpRequest, where: str, act: Callable[[], object]) -> HttpResponse:
    """The act of one button: nothing more to say to the script, else back to the page."""
    if not is_script(request):
        with explained(request):
            act()
        return redirect(where)
    try:
        act()
    except DomainError as error:
        return _problem(error)
    return HttpResponse(status=204)


def _own(actor: Any, message_id: UUID) -> Message:
    seen = Message.objects.visible_to(actor).with_details().with_people()
    message: Message | None = seen.filter(pk=message_id).first()
    if message is None:
        raise Http404
    return message


def is_script(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "fetch"


def end_of(chat_id: UUID) -> str:
    """Where the newest is, and where one writes."""
    return f"{_address(chat_id)}#newest"


def _address(chat_id: UUID) -> str:
    return reverse("chat-detail", args=[chat_id])


def _problem(error: DomainError) -> HttpResponse:
    body = {"code": error.code, "detail": str(error.detail)}
    return with_status(JsonResponse(body), error)
