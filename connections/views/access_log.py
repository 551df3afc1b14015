"""The patient's pages of their access log."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from common.pages import FormPage
from common.pagination import PAGING, feed_page
from connections.forms.access_log import QuestionForm, WantedForm
from connections.services.access_log import By, access_log, log_entry, told_visits
from connections.services.cases import question_access


@never_cache
@require_safe
def access_log_page(request: HttpRequest) -> HttpResponse:
    """Who saw the patient's data, by visits."""
    form = WantedForm(request.GET)
    is_right = form.is_valid()
    events = access_log(actor=request.user, wanted=form.wanted if is_right else None)
    page = feed_page(request, events if is_right else events.none())
    asked = {name: value for name, value in request.GET.items() if value and name not in PAGING}
    others, everybody = (_switched(request, by) for by in (By.OTHERS, By.ALL))
    context = {
        "form": form,
        "page": page,
        "visits": told_visits(page.rows),
        "is_all": asked.get("by") == By.ALL,
        "is_narrowed": bool(asked.keys() - {"by"}),
        "others_url": others,
        "all_url": everybody,
    }
    return render(request, "connections/access_log.html", context, status=200 if is_right else 400)


def _switched(request: HttpRequest, by: str) -> str:
    """The same question about others alone, or with one's own acts."""
    query = request.GET.copy()
    query.pop("cursor", None)
    query["by"] = by
    return f"{reverse('access-log')}?{query.urlencode()}"


@method_decorator(never_cache, name="dispatch")
class Question(FormPage):
    """One act of the log, what was asked about it and answered, and a form to ask."""

    template_name = "connections/access_question.html"
    form_class = QuestionForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.event_id: UUID = kwargs["event_id"]
        self.entry = log_entry(actor=request.user, event_id=self.event_id)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: QuestionForm) -> HttpResponse:
        question_access(actor=self.request.user, event_id=self.event_id, **form.cleaned_data)
        messages.success(self.request, _("Your question is sent."))
        return redirect("access-question", self.event_id)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(entry=self.entry, **kwargs)
