"""All of a person's conversations."""

from __future__ import annotations

from typing import Any

from django.db.models import Func, Value
from django.db.models.functions import Concat
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chat.models import Absence
from chat.models.chats import ChatQuerySet
from chat.services.help import absence_of
from chat.services.reading import LONGEST_QUERY, lines_of, list_chats, unread_count
from chat.views.typed import typed
from common.pagination import TurnPagination, feed_page

AWAITING = "awaiting"


@never_cache
@require_safe
def chat_list(request: HttpRequest) -> HttpResponse:
    """Where something was said last comes first; to doctors, before it, what waits for them. A
    doctor may look for a patient's name, and at what waits alone."""
    user = request.user
    is_doctor = user.is_authenticated and user.is_doctor
    awaiting = is_doctor and request.GET.get("show") == AWAITING
    name = typed(request, "name", longest=LONGEST_QUERY) if is_doctor else ""
    chats = list_chats(actor=user, awaiting=awaiting)
    page = feed_page(request, _named(chats, name), TurnPagination)
    context = {
        "page": page,
        "lines": lines_of(actor=user, chats=page.rows),
        "is_awaiting": awaiting,
        "name": name,
        "longest_query": LONGEST_QUERY,
        "absence": _own_absence(user.pk) if is_doctor else None,
    }
    return render(request, "chat/list.html", context)


@never_cache
@require_safe
def unread(request: HttpRequest) -> HttpResponse:
    """How many messages wait for the reader: the number in the navigation."""
    return JsonResponse({"count": unread_count(actor=request.user)})


def _named(chats: ChatQuerySet, name: str) -> ChatQuerySet:
    """Of patients whose name has each of these words in it, however it is spelt."""
    names = Concat("connection__patient__first_name", Value(" "), "connection__patient__last_name")
    for word in name.split():
        folded = Func(Value(word), function="search_fold")
        chats = chats.alias(patient=Func(names, function="search_fold")).filter(
            patient__contains=folded
        )
    return chats


def _own_absence(doctor_id: Any) -> Absence | None:
    return absence_of(doctor_id=doctor_id, at=timezone.now())
