"""Accounts in the admin: to find, to look at, to take out as a list. Nothing is edited here: what
an administrator decides goes through the services, as everywhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.admin.sheets import sheet
from accounts.middleware import confirmed, device_session
from accounts.models import AccountChange, DeviceSession, DoctorProfile, PatientProfile, User
from accounts.models.users import UserQuerySet
from accounts.places import place_of
from accounts.services.users import REOPENABLE, record_list_export, record_profile_view
from common.admin import LookOnly
from common.templatetags.ui import status as status_badge

LOG_ENTRIES = 50
COLUMNS = (
    "id", "email", "first_name", "last_name", "phone", "role", "status", "language",
    "second_factor", "created_at", "last_login",
)  # fmt: skip


class SecondFactorFilter(admin.SimpleListFilter):
    title = _("second factor")
    parameter_name = "second_factor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(second_factor=value == "yes") if value else queryset


class RegisteredFilter(admin.SimpleListFilter):
    title = _("registered")
    parameter_name = "registered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("In the last day")), ("7", _("In the last week")), ("30", _("In 30 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"1", "7", "30"}:
            return queryset
        days = dt.timedelta(days=int(self.value() or 0))
        return queryset.filter(created_at__gte=timezone.now() - days)


@admin.register(User)
class UserAdmin(LookOnly, admin.ModelAdmin[User]):
    list_display = ("full_name", "email", "role", "state", "factor", "registered", "signed_in")
    list_filter = ("role", "status", SecondFactorFilter, "language", RegisteredFilter)
    search_fields = ("email", "first_name", "last_name", "phone")
    ordering = ("-pk",)
    list_per_page = 50
    # A second count of the whole table, for a number that the filters show already.
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> UserQuerySet:
        return User.objects.visible_to(request.user).with_second_factor()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """By the rule and the index that the API's search has."""
        if not search_term:
            return queryset, False
        found = User.objects.matching(search_term).values("pk")
        return queryset.filter(pk__in=found), False

    @admin.display(description=_("name"), ordering="first_name")
    def full_name(self, user: User) -> str:
        return user.full_name

    @admin.display(description=_("status"), ordering="status")
    def state(self, user: User) -> SafeString:
        return badge(user)

    @admin.display(description=_("second factor"), boolean=True)
    def factor(self, user: Any) -> bool:
        return bool(user.second_factor)

    @admin.display(description=_("registered"), ordering="pk")
    def registered(self, user: User) -> str:
        return date_format(timezone.localtime(user.created_at))

    @admin.display(description=_("last signed in"), ordering="last_login", empty_value="–")
    def signed_in(self, user: User) -> str | None:
        return date_format(timezone.localtime(user.last_login)) if user.last_login else None

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        export = confirmed(back_to="admin:accounts_user_changelist")(self.export)
        return [
            path("export/", view(require_POST(export)), name="user_export"),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One account: what is known of it, what became of it, and what can be done."""
        try:
            user = get_object_or_404(_with_profiles(self.get_queryset(request)), pk=object_id)
        except ValidationError as error:
            raise Http404 from error
        record_profile_view(session=device_session(request), user=user)
        context = {
            **self.admin_site.each_context(request),
            "title": user.full_name,
            "subtitle": None,
            "opts": self.opts,
            "account": user,
            "is_own": user.pk == request.user.pk,
            "is_reopenable": user.status in REOPENABLE,
            "history": user.status_changes.select_related("changed_by"),
            "resets": user.factor_resets.select_related("reset_by"),
            "sessions": _sessions(user),
            "log": _log(user),
            "change_kinds": AccountChange.Kind.choices,
        }
        return TemplateResponse(request, "admin/accounts/user/change_form.html", context)

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """The list as it is filtered, as a file for a spreadsheet."""
        found: ChangeList = self.get_changelist_instance(request)
        users = found.get_queryset(request)
        record_list_export(
            session=device_session(request), filters=sorted(request.GET), row_count=users.count()
        )
        name = f"medisync-users-{timezone.localdate():%Y-%m-%d}.csv"
        return StreamingHttpResponse(
            sheet(COLUMNS, users),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "private, no-store",
            },
        )


def badge(user: User) -> SafeString:
    looks = status_badge(user.status, user.get_status_display())
    return format_html('<span class="badge badge--{}">{}</span>', looks["tone"], looks["label"])


def _with_profiles(users: UserQuerySet) -> QuerySet[User]:
    return users.select_related("patient_profile", "doctor_profile__specialization")


def _sessions(user: User) -> list[tuple[DeviceSession, str]]:
    live = DeviceSession.objects.live(timezone.now()).filter(user=user)
    return [(session, place_of(session.ip_address)) for session in live]


def _log(user: User) -> list[tuple[LogEntry, list[str]]]:
    """What the change log has about the account and its profiles, newest first, in words."""
    keys = [user.pk]
    for profile in (PatientProfile, DoctorProfile):
        keys += profile.objects.filter(user=user).values_list("pk", flat=True)
    entries = (
        LogEntry.objects.filter(object_pk__in=[str(key) for key in keys])
        .select_related("actor", "content_type")
        .order_by("-timestamp")[:LOG_ENTRIES]
    )
    return [(entry, list(_in_words(entry))) for entry in entries]


def _in_words(entry: LogEntry) -> Iterator[str]:
    """Each change as its field's name and the words for its values."""
    model = entry.content_type.model_class()
    for name, (old, new) in entry.changes_dict.items():
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        words = dict(getattr(field, "flatchoices", ()))
        before, after = (str(words.get(value, value)) for value in (old, new))
        yield gettext("%(field)s: %(before)s → %(after)s") % {
            "field": field.verbose_name,
            "before": "–" if before in {"None", ""} else before,
            "after": after,
        }
