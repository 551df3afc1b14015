"""Questioned accesses in the admin: what is to be answered, and each with what explains it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.admin.base import ChosenFilter, moment
from accounts.middleware import device_session
from accounts.models import DeviceSession, User
from audit.models import AccessCase
from common.admin import BoundedPaginator, LookOnly
from common.errors import DomainError
from common.pages import add_refusal, with_status
from connections.forms.access_log import AnswerForm
from connections.models import DataCategory
from connections.policies import check_can_answer_case
from connections.services.access_log import entries_of
from connections.services.cases import acts_near, answer_case, grant_at_the_time, open_case

CASE_PAGE = "admin:audit_accesscase_change"


class StateFilter(ChosenFilter):
    """Those that wait for an answer, unless others are asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("open", _("Waiting for an answer")),
            ("overdue", _("Overdue")),
            ("answered", _("Answered")),
            ("all", _("All")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        found = {
            "open": queryset.open(),
            "overdue": queryset.overdue(timezone.now()),
            "answered": queryset.exclude(status=AccessCase.Status.OPEN),
        }
        return found.get(self.value(), queryset)


@admin.register(AccessCase)
class AccessCaseAdmin(LookOnly, admin.ModelAdmin[AccessCase]):
    """Those that wait first, by when they are due. What was asked stands on the case's own page,
    which is logged when it is opened."""

    list_display = ("asked_by", "state", "due", "whose_act", "act", "created_at")
    list_filter = (StateFilter,)
    list_select_related = ("event",)
    ordering = ("-status", "due_at", "pk")
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessCase]:
        names = {"patient_name": _name("patient_id"), "actor_name": _name("event__actor_id")}
        return super().get_queryset(request).annotate(**names)

    @admin.display(description=_("patient"))
    def asked_by(self, case: AccessCase) -> str:
        return getattr(case, "patient_name", None) or str(_("An account that no longer exists"))

    @admin.display(description=_("whose act"))
    def whose_act(self, case: AccessCase) -> str:
        return getattr(case, "actor_name", None) or "–"

    @admin.display(description=_("act"))
    def act(self, case: AccessCase) -> str:
        return case.event.get_action_display()

    @admin.display(description=_("answer due"), ordering="due_at")
    def due(self, case: AccessCase) -> str:
        return moment(case.due_at) if case.is_open else ""

    @admin.display(description=_("state"))
    def state(self, case: AccessCase) -> SafeString:
        if case.is_overdue(timezone.now()):
            return _badge("danger", _("Overdue"))
        return _badge("warning" if case.is_open else "success", case.get_status_display())

    def get_urls(self) -> list[URLPattern]:
        answer = self.admin_site.admin_view(self.answer)
        return [
            path("<uuid:pk>/answer/", answer, name="accesscase_answer"),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The case; that it was opened is logged."""
        case = open_case(session=device_session(request), case_id=_uuid_of(object_id))
        return self._page(request, case, AnswerForm())

    @method_decorator(require_POST)
    def answer(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        form = AnswerForm(request.POST)
        session = device_session(request)
        if not form.is_valid():
            return self._page(request, open_case(session=session, case_id=pk), form, status=400)
        try:
            answer_case(session=session, case_id=pk, **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            page = self._page(request, open_case(session=session, case_id=pk), form)
            return with_status(page, error)
        messages.success(request, _("The patient has your answer."))
        return redirect(CASE_PAGE, pk)

    def _page(
        self, request: HttpRequest, case: AccessCase, form: Form, status: int = 200
    ) -> TemplateResponse:
        event, grant = case.event, grant_at_the_time(case.event)
        ids = {case.patient_id, event.actor_id, case.answered_by_id} - {None}
        people = User.objects.in_bulk(ids)
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": _("Questioned access"),
            "original": case,
            "is_overdue": case.is_overdue(timezone.now()),
            "refusal": _refusal(device_session(request), case),
            "form": form,
            "entry": entries_of([event])[0],
            "category": _category(event.category),
            "near": [(act, _category(act.category)) for act in acts_near(event)],
            "grant": grant,
            "shared": [_category(code) for code in grant.categories] if grant else [],
            "patient": people.get(case.patient_id),
            "account": people.get(event.actor_id),
            "answered_by": people.get(case.answered_by_id),
        }
        template = "admin/audit/accesscase/change_form.html"
        return TemplateResponse(request, template, context, status=status)


def _refusal(session: DeviceSession, case: AccessCase) -> Any:
    """Why this administrator cannot answer; nothing where they can."""
    try:
        check_can_answer_case(session, case)
    except DomainError as error:
        return error.detail
    return ""


def _name(person_id: str) -> Subquery:
    """The name of a person whom another table knows by id."""
    people = User.objects.filter(pk=OuterRef(person_id))
    return Subquery(people.values(name=Concat("first_name", Value(" "), "last_name")))


def _category(code: str) -> str:
    return str(DataCategory(code).label) if code in DataCategory else code


def _badge(tone: str, label: Any) -> SafeString:
    return format_html('<span class="badge badge--{}">{}</span>', tone, label)


def _uuid_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error
