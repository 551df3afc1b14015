"""Practising doctors by the end of their licence."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.admin.base import ChosenFilter
from accounts.models import AccountChange, Licence
from accounts.models.profiles import DoctorProfileQuerySet
from accounts.services.licences import TOLD_BEFORE, is_in_force
from common.admin import LookOnly
from common.clock import clinic_date

WARNED_OF = dt.timedelta(days=90)


class EndFilter(ChosenFilter):
    """By when the licence ends; at first, those that somebody should look after."""

    title = _("licence")
    parameter_name = "ends"
    ALL = "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("soon", _("Ended, ending or unknown")),
            ("ending", _("Ended or ending within 30 days")),
            ("expired", _("Ended")),
            ("30", _("Ends within 30 days")),
            ("60", _("Ends within 60 days")),
            ("90", _("Ends within 90 days")),
            ("unknown", _("Unknown")),
            (self.ALL, _("All")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> DoctorProfileQuerySet:
        today = clinic_date()
        licences: DoctorProfileQuerySet = queryset
        in_force = licences.licence_in_force(today)
        unknown = licences.filter(licence_expiry_date=None)
        found = {
            "soon": unknown | licences.licence_ends_by(today + WARNED_OF),
            "ending": licences.licence_ends_by(today + TOLD_BEFORE),
            "expired": licences.licence_ended(today),
            "unknown": unknown,
        } | {
            str(days): in_force.licence_ends_by(today + dt.timedelta(days=days))
            for days in (30, 60, 90)
        }
        return found.get(self.value(), licences)


@admin.register(Licence)
class LicenceAdmin(LookOnly, admin.ModelAdmin[Licence]):
    list_display = ("doctor", "licence_number", "licence_expiry_date", "days_left", "renew")
    list_filter = (EndFilter,)
    list_select_related = ("user",)
    show_facets = admin.ShowFacets.ALWAYS
    search_fields = ("user__first_name", "user__last_name", "licence_number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Licence]:
        ends = F("licence_expiry_date").asc(nulls_last=True)
        practising: QuerySet[Any] = Licence.objects.practising()
        return practising.order_by(ends, "pk")

    @method_decorator(require_safe)
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A licence is looked at on its doctor's page."""
        return redirect("admin:accounts_doctorprofile_change", object_id)

    @admin.display(description=_("name"), ordering="user__first_name")
    def doctor(self, licence: Licence) -> str:
        return licence.user.full_name

    @admin.display(description=_("ends in"), ordering="licence_expiry_date")
    def days_left(self, licence: Licence) -> str:
        if licence.licence_expiry_date is None:
            return str(_("Unknown"))
        today = clinic_date()
        if not is_in_force(licence.licence_expiry_date, on=today):
            return str(_("Ended"))
        days = (licence.licence_expiry_date - today).days
        return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}

    @admin.display(description="")
    def renew(self, licence: Licence) -> str:
        url = reverse(
            "admin:accountchange_propose", args=[licence.user_id, AccountChange.Kind.LICENCE]
        )
        return format_html('<a href="{}">{}</a>', url, _("Propose a change"))
