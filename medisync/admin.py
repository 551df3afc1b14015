"""The Django admin, behind the portal's own sign-in."""

from __future__ import annotations

from typing import Any, NoReturn

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from accounts.models import DoctorProfile, Status
from notifications.models import EmailDelivery


class MedisyncAdminSite(admin.AdminSite):
    """One door for everyone: people sign in, sign out and keep their account in the portal."""

    site_title = site_header = "MediSync"
    index_title = _("Administration")
    site_url = None

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        waiting = DoctorProfile.objects.filter(user__status=Status.PENDING_APPROVAL)
        unreached = EmailDelivery.objects.filter(status=EmailDelivery.Status.FAILED)
        counts = {"applications_waiting": waiting.count(), "emails_failed": unreached.count()}
        return super().index(request, counts | (extra_context or {}))

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect("admin:index" if self.has_permission(request) else "home")
        target = request.GET.get("next") or reverse("admin:index")
        return redirect_to_login(target, login_url="login")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("home")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> NoReturn:
        """Would change it behind the services' back."""
        raise Http404
