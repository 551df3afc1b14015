"""Changes that take two administrators: the list, proposing one, and deciding it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.dateparse import parse_date
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.admin.base import ChosenFilter
from accounts.forms.review import CHANGE_FORMS, ApproveChangeForm, RefuseChangeForm
from accounts.middleware import device_session, to_confirm
from accounts.models import AccountChange, Role, User
from accounts.policies import ConfirmationNeeded, can_decide_change, can_withdraw_change
from accounts.services import changes
from common.admin import LookOnly
from common.errors import DomainError
from common.pages import add_refusal, explained, with_status

LABELS = {
    "role": _("Role"),
    "licence_number": _("Licence number"),
    "licence_expiry_date": _("Licence valid until"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
}
PROPOSE: dict[str, Callable[..., AccountChange]] = {
    AccountChange.Kind.ROLE: changes.propose_role,
    AccountChange.Kind.LICENCE: changes.propose_licence,
    AccountChange.Kind.NAME: changes.propose_name,
}
CHANGE_LIST = "admin:accounts_accountchange_changelist"
CHANGE_PAGE = "admin:accounts_accountchange_change"


class Office(Protocol):
    """The site, which knows what an approved change means to other apps."""

    approve_change: Callable[..., AccountChange]


class DecisionFilter(ChosenFilter):
    """Those that wait for a second administrator, unless others are asked for."""

    title = _("decision")
    parameter_name = "decision"
    OPEN, ALL = "open", "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (self.OPEN, _("To be decided")),
            *AccountChange.Decision.choices,
            (self.ALL, _("All")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == self.ALL:
            return queryset
        return queryset.filter(decision="" if value == self.OPEN else value)


@admin.register(AccountChange)
class AccountChangeAdmin(LookOnly, admin.ModelAdmin[AccountChange]):
    list_display = ("whose", "kind", "becomes", "proposed_by", "created_at", "outcome")
    list_filter = (DecisionFilter,)
    list_select_related = ("user", "proposed_by", "decided_by")
    show_facets = admin.ShowFacets.ALWAYS
    search_fields = ("user__email", "user__first_name", "user__last_name")

    @admin.display(description=_("name"), ordering="user__first_name")
    def whose(self, change: AccountChange) -> str:
        return change.user.full_name

    @admin.display(description=_("becomes"))
    def becomes(self, change: AccountChange) -> str:
        return ", ".join(new for _label, old, new in _compared(change) if old != new)

    @admin.display(description=_("decision"))
    def outcome(self, change: AccountChange) -> str:
        return change.get_decision_display() or str(_("To be decided"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path(
                "propose/<uuid:user_id>/<slug:kind>/",
                view(self.propose),
                name="accountchange_propose",
            ),
            path("<uuid:pk>/approve/", view(self.approve), name="accountchange_approve"),
            path("<uuid:pk>/refuse/", view(self.refuse), name="accountchange_refuse"),
            path("<uuid:pk>/withdraw/", view(self.withdraw), name="accountchange_withdraw"),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            change = get_object_or_404(self.get_queryset(request), pk=object_id)
        except ValidationError as error:
            raise Http404 from error
        return self._page(request, change)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def propose(self, request: HttpRequest, user_id: UUID, kind: str) -> HttpResponse:
        if kind not in CHANGE_FORMS:
            raise Http404
        user = get_object_or_404(User, pk=user_id)
        try:
            changes.check_is_changeable(user, kind)
        except DomainError as error:
            messages.error(request, str(error.detail))
            return redirect("admin:accounts_user_change", user_id)
        if request.method != "POST":
            form = CHANGE_FORMS[kind](initial=changes.current_values(user, kind))
            return self._proposal(request, user, kind, form)
        return self._propose(request, user, kind, CHANGE_FORMS[kind](request.POST))

    @method_decorator(require_POST)
    def approve(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        form = ApproveChangeForm(request.POST, prefix="approve")
        return self._decide(request, pk, form, cast(Office, self.admin_site).approve_change)

    @method_decorator(require_POST)
    def refuse(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        form = RefuseChangeForm(request.POST, prefix="refuse")
        return self._decide(request, pk, form, changes.refuse_change)

    @method_decorator(require_POST)
    def withdraw(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        with explained(request):
            changes.withdraw_change(session=device_session(request), change_id=pk)
            messages.success(request, _("The proposal is withdrawn."))
        return redirect(CHANGE_PAGE, pk)

    def _propose(self, request: HttpRequest, user: User, kind: str, form: Form) -> HttpResponse:
        if not form.is_valid():
            return self._proposal(request, user, kind, form, status=400)
        try:
            change = PROPOSE[kind](
                session=device_session(request), user_id=user.pk, **form.cleaned_data
            )
        except DomainError as error:
            add_refusal(form, error)
            return with_status(self._proposal(request, user, kind, form), error)
        messages.success(request, _("Proposed. Another administrator has to approve it."))
        return redirect(CHANGE_PAGE, change.pk)

    def _decide(
        self, request: HttpRequest, pk: UUID, form: Form, decide: Callable[..., AccountChange]
    ) -> HttpResponse:
        change = get_object_or_404(self.get_queryset(request), pk=pk)
        if not form.is_valid():
            return self._page(request, change, form, status=400)
        try:
            decided = decide(session=device_session(request), change_id=pk, **form.cleaned_data)
        except ConfirmationNeeded:
            return to_confirm(reverse(CHANGE_PAGE, args=[pk]))
        except DomainError as error:
            add_refusal(form, error)
            return with_status(self._page(request, change, form), error)
        messages.success(
            request, _("The change is %(decision)s.") % {"decision": decided.get_decision_display()}
        )
        return redirect(CHANGE_LIST)

    def _page(
        self,
        request: HttpRequest,
        change: AccountChange,
        tried: Form | None = None,
        status: int = 200,
    ) -> TemplateResponse:
        """Old beside new; `tried` is the form of a decision that could not be taken."""
        session = device_session(request)
        forms: dict[str, Form] = {
            "approve": ApproveChangeForm(prefix="approve"),
            "refuse": RefuseChangeForm(prefix="refuse"),
        }
        if tried is not None:
            forms[str(tried.prefix)] = tried
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": change.user.full_name,
            "original": change,
            "compared": _compared(change),
            "forms": forms,
            "tried": tried,
            "can_decide": can_decide_change(session, change),
            "can_withdraw": can_withdraw_change(session, change),
        }
        template = "admin/accounts/accountchange/change_form.html"
        return TemplateResponse(request, template, context, status=status)

    def _proposal(
        self, request: HttpRequest, user: User, kind: str, form: Form, status: int = 200
    ) -> TemplateResponse:
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": user.full_name,
            "person": user,
            "kind": AccountChange.Kind(kind).label,
            "form": form,
        }
        template = "admin/accounts/accountchange/propose.html"
        return TemplateResponse(request, template, context, status=status)


def _compared(change: AccountChange) -> list[tuple[Any, str, str]]:
    """Each value's name, what it was and what it becomes, as people read them."""
    return [
        (label, _shown(name, change.old_values[name]), _shown(name, change.new_values[name]))
        for name, label in LABELS.items()
        if name in change.new_values
    ]


def _shown(name: str, value: str | None) -> str:
    if not value:
        return "—"
    if name == "role":
        return str(Role(value).label)
    day = parse_date(value) if name == "licence_expiry_date" else None
    return date_format(day) if day else value
