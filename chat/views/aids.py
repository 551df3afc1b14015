"""What helps doctors to answer: prepared replies, and being away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from chat.forms import AbsenceForm, ReplyForm
from chat.models import Absence, CannedReply
from chat.policies import check_can_prepare
from chat.services.help import delete_reply, end_absence, save_reply, set_absence
from common.pages import FormPage, explained


@require_safe
def reply_list(request: HttpRequest) -> HttpResponse:
    check_can_prepare(request.user)
    context = {"replies": CannedReply.objects.visible_to(request.user)}
    return render(request, "chat/replies.html", context)


class ReplyEdit(FormPage):
    """A new one, or one that is put in the place of an old."""

    template_name = "chat/reply.html"
    form_class = ReplyForm
    reply: CannedReply | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        check_can_prepare(request.user)
        if "reply_id" in kwargs:
            mine = CannedReply.objects.visible_to(request.user)
            self.reply = get_object_or_404(mine, pk=kwargs["reply_id"])
        return super().dispatch(request, *args, **kwargs)

    def get_initial(self) -> dict[str, Any]:
        if self.reply is None:
            return {}
        return {"title": self.reply.title, "content": self.reply.content}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"reply": self.reply}

    def form_valid(self, form: ReplyForm) -> HttpResponse:
        reply_id = self.reply.pk if self.reply else None
        save_reply(actor=self.request.user, reply_id=reply_id, **form.cleaned_data)
        messages.success(self.request, _("The reply has been saved."))
        return redirect("chat-replies")


@require_POST
def reply_delete(request: HttpRequest, reply_id: UUID) -> HttpResponse:
    with explained(request):
        delete_reply(actor=request.user, reply_id=reply_id)
        messages.success(request, _("The reply has been deleted."))
    return redirect("chat-replies")


class Away(FormPage):
    """From when until when a doctor does not answer."""

    template_name = "chat/away.html"
    form_class = AbsenceForm
    absence: Absence | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        check_can_prepare(request.user)
        mine = Absence.objects.visible_to(request.user).filter(ends_at__gt=timezone.now())
        self.absence = mine.first()
        return super().dispatch(request, *args, **kwargs)

    def get_initial(self) -> dict[str, Any]:
        if self.absence is None:
            return {"starts_at": timezone.now()}
        names = ("starts_at", "ends_at", "notice")
        return {name: getattr(self.absence, name) for name in names}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = timezone.now()
        is_current = self.absence is not None and self.absence.is_current(now)
        told = {"absence": self.absence, "is_current": is_current}
        return super().get_context_data(**kwargs) | told

    def form_valid(self, form: AbsenceForm) -> HttpResponse:
        set_absence(actor=self.request.user, **form.cleaned_data)
        messages.success(self.request, _("Patients who write to you read that you are away."))
        return redirect("chat-list")


@require_POST
def away_end(request: HttpRequest) -> HttpResponse:
    with explained(request):
        end_absence(actor=request.user)
        messages.success(request, _("You are shown as back."))
    return redirect("chat-list")
