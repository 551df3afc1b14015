"""Codes and cards, to look at: what they open is kept from administrators as from anybody."""

from __future__ import annotations

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.middleware import device_session
from common.admin import BoundedPaginator, LookOnly
from common.pages import explained
from qrverify.models import EmergencyCard, QrToken
from qrverify.services.tokens import clean_up


@admin.register(QrToken)
class QrTokenAdmin(LookOnly, admin.ModelAdmin[QrToken]):
    """Which codes were shown and when; their secrets are not kept."""

    list_display = ("created_at", "type", "issuer", "expires_at", "used_at", "revoked_at")
    list_select_related = ("issuer",)
    fields = list_display
    readonly_fields = list_display
    paginator = BoundedPaginator
    show_full_result_count = False

    def get_urls(self) -> list[URLPattern]:
        page = require_http_methods(["GET", "HEAD", "POST"])(self.clean_up)
        view = self.admin_site.admin_view(page)
        return [path("clean-up/", view, name="qr_clean_up"), *super().get_urls()]

    def clean_up(self, request: HttpRequest) -> HttpResponse:
        """What the hourly job does, now: first what it would be, then what it was."""
        if request.method == "POST":
            with explained(request):
                _tell(request, clean_up(session=device_session(request)))
            return redirect("admin:qrverify_qrtoken_changelist")
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": _("Forget old codes"),
            "count": QrToken.objects.stale(timezone.now()).count(),
        }
        return TemplateResponse(request, "admin/qrverify/qrtoken/clean_up.html", context)


def _tell(request: HttpRequest, count: int) -> None:
    said = ngettext("%(n)s old code was forgotten.", "%(n)s old codes were forgotten.", count)
    messages.success(request, said % {"n": count})


@admin.register(EmergencyCard)
class EmergencyCardAdmin(LookOnly, admin.ModelAdmin[EmergencyCard]):
    """Whose cards there are, and which have ended; what they show, and to whom, is theirs."""

    list_display = ("created_at", "patient", "revoked_at", "end_reason")
    list_select_related = ("patient",)
    fields = list_display
    readonly_fields = list_display
