"""The Django admin, behind the portal's own sign-in."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _


class MedisyncAdminSite(admin.AdminSite):
    """One door for everyone: whoever is not signed in is sent to the portal's login page."""

    site_title = site_header = "MediSync"
    index_title = _("Administration")
    site_url = "/"

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.user.is_authenticated and not self.has_permission(request):
            return redirect("home")
        target = request.GET.get("next") or request.get_full_path()
        return redirect_to_login(target, login_url="/login")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("home")
