"""People in the admin: accounts to look at, doctors' applications to decide on.

Nothing here is edited. What an administrator decides goes through the services, as everywhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts.models import DoctorProfile, Status, StatusChange, User
from accounts.policies import can_review_doctor
from accounts.services.review import approve_doctor, reject_doctor
from common.admin import LookOnly
from common.documents import sniff_document
from common.pages import explained

DOCUMENTS = ("licence_document", "national_id_document")


class StatusHistory(LookOnly, admin.TabularInline[StatusChange, User]):
    model = StatusChange
    fk_name = "user"
    fields = readonly_fields = ("when", "before", "after", "by", "why")
    verbose_name_plural = _("history")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StatusChange]:
        return super().get_queryset(request).select_related("changed_by")

    @admin.display(description=_("when"))
    def when(self, change: StatusChange) -> str:
        return _moment(change.created_at)

    @admin.display(description=_("before"))
    def before(self, change: StatusChange) -> str:
        return change.get_from_status_display()

    @admin.display(description=_("after"))
    def after(self, change: StatusChange) -> str:
        return change.get_to_status_display()

    @admin.display(description=_("by"))
    def by(self, change: StatusChange) -> str:
        return change.changed_by.full_name

    @admin.display(description=_("reason"))
    def why(self, change: StatusChange) -> str:
        return change.reason


@admin.register(User)
class UserAdmin(LookOnly, admin.ModelAdmin[User]):
    list_display = ("email", "full_name", "role", "status", "registered", "last_login")
    list_filter = ("role", "status", "language")
    search_fields = ("email", "first_name", "last_name", "phone")
    fields = (
        "email", "first_name", "last_name", "phone", "role", "status", "language", "time_zone",
        "registered", "last_login",
    )  # fmt: skip
    readonly_fields = ("registered",)
    inlines = (StatusHistory,)

    @admin.display(description=_("name"), ordering="first_name")
    def full_name(self, user: User) -> str:
        return user.full_name

    @admin.display(description=_("registered"), ordering="created_at")
    def registered(self, user: User) -> str:
        return _moment(user.created_at)


class StatusFilter(admin.SimpleListFilter):
    """Those who wait, unless another status is asked for."""

    title = _("status")
    parameter_name = "status"
    ALL = "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        statuses = (Status.PENDING_APPROVAL, Status.ACTIVE, Status.REJECTED)
        return [*((status.value, status.label) for status in statuses), (self.ALL, _("All"))]

    def value(self) -> str:
        return super().value() or Status.PENDING_APPROVAL.value

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value == self.ALL else queryset.filter(user__status=value)

    def choices(self, changelist: ChangeList) -> Any:
        """Without the choice of no choice that every other filter begins with."""
        return list(super().choices(changelist))[1:]


@admin.register(DoctorProfile)
class ApplicationAdmin(LookOnly, admin.ModelAdmin[DoctorProfile]):
    """The queue, oldest first, and on each application's page the documents beside what was
    typed."""

    list_display = ("applicant", "specialization", "licence_number", "status", "applied_at")
    list_filter = (StatusFilter,)
    list_select_related = ("user", "specialization")
    search_fields = ("user__email", "user__first_name", "user__last_name", "licence_number")
    ordering = ("applied_at",)

    @admin.display(description=_("name"), ordering="user__first_name")
    def applicant(self, profile: DoctorProfile) -> str:
        return profile.user.full_name

    @admin.display(description=_("status"), ordering="user__status")
    def status(self, profile: DoctorProfile) -> str:
        return profile.user.get_status_display()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:pk>/approve/", view(self.approve), name="application_approve"),
            path("<uuid:pk>/reject/", view(self.reject), name="application_reject"),
            path(
                "<uuid:pk>/documents/<slug:name>/",
                view(self.document, cacheable=True),
                name="application_document",
            ),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        profile: DoctorProfile = context["original"]
        context |= {
            "title": profile.user.full_name,
            "subtitle": None,
            "can_review": can_review_doctor(request.user, profile.user),
            "documents": [_described(profile, name) for name in DOCUMENTS],
            "history": profile.user.status_changes.select_related("changed_by"),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @method_decorator(require_POST)
    def approve(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return self._decide(
            request,
            pk,
            lambda doctor_id: approve_doctor(actor=request.user, doctor_id=doctor_id),
            done=_("%(name)s is approved and may practise here."),
        )

    @method_decorator(require_POST)
    def reject(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        reason = request.POST.get("reason", "")
        return self._decide(
            request,
            pk,
            lambda doctor_id: reject_doctor(actor=request.user, doctor_id=doctor_id, reason=reason),
            done=_("The application of %(name)s is rejected."),
        )

    def _decide(
        self, request: HttpRequest, pk: UUID, decide: Callable[[UUID], User], *, done: Any
    ) -> HttpResponse:
        """On to the queue when it is decided, back to the application when it cannot be."""
        profile = get_object_or_404(DoctorProfile, pk=pk)
        with explained(request):
            doctor = decide(profile.user_id)
            messages.success(request, done % {"name": doctor.full_name})
            return redirect("admin:accounts_doctorprofile_changelist")
        return redirect("admin:accounts_doctorprofile_change", pk)

    @method_decorator([require_safe, cache_control(private=True, no_store=True)])
    def document(self, request: HttpRequest, pk: UUID, name: str) -> FileResponse:
        """One scan, as what its bytes say it is."""
        if name not in DOCUMENTS:
            raise Http404
        file = getattr(get_object_or_404(DoctorProfile, pk=pk), name)
        media_type = _media_type(file)
        if media_type is None:
            raise Http404
        return FileResponse(
            file.open("rb"), content_type=media_type, headers={"X-Content-Type-Options": "nosniff"}
        )


def _moment(at: dt.datetime) -> str:
    local = timezone.localtime(at)
    return f"{date_format(local)} {time_format(local)}"


def _described(profile: DoctorProfile, name: str) -> dict[str, Any]:
    file: FieldFile = getattr(profile, name)
    return {"name": name, "label": file.field.verbose_name, "media_type": _media_type(file)}


def _media_type(file: FieldFile) -> str | None:
    """None for what is no document, or is not in the storage."""
    try:
        with file.open("rb") as opened:
            return sniff_document(opened.read(16))
    except FileNotFoundError:
        return None
