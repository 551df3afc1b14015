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
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountChange, ApplicationReview, DoctorProfile
from accounts.policies import may_administer
from accounts.services.licences import TOLD_BEFORE
from accounts.services.statistics import account_statistics
from audit.models import AccessCase
from common.clock import clinic_date
from medisync.account_pages import account_urls
from medisync.another_role import approve_everywhere
from notifications.models import EmailDelivery


class MedisyncAdminSite(admin.AdminSite):
    """One door for everyone: people sign in, sign out and keep their account in the portal."""

    site_title = site_header = "MediSync"
    index_title = _("Administration")
    site_url = None
    approve_change = staticmethod(approve_everywhere)

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Rows come and go by services alone, and never many at a time.
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        """Administrators who have signed in with a second factor."""
        return may_administer(getattr(request, "device_session", None))

    def get_urls(self) -> list[Any]:
        """With the pages of acts on an account, which look into every app, and without Django's
        way from any row to its page on the site: rows have none."""
        urls = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        return [*account_urls(self.admin_view), *urls]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        waiting = ApplicationReview.objects.waiting()
        ending = DoctorProfile.objects.licence_ends_by(clinic_date() + TOLD_BEFORE)
        unreached = EmailDelivery.objects.filter(status=EmailDelivery.Status.FAILED)
        counts = {
            "applications_waiting": waiting.count(),
            "changes_open": AccountChange.objects.undecided().count(),
            "licences_ending": ending.count(),
            "emails_failed": unreached.count(),
            "cases_open": AccessCase.objects.open().count(),
            "cases_overdue": AccessCase.objects.overdue(timezone.now()).count(),
            "statistics": account_statistics(),
        }
        return super().index(request, counts | (extra_context or {}))

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """To the portal's sign-in; an administrator without a second factor, to get one."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            return redirect("security" if request.user.is_staff else "home")
        target = request.GET.get("next") or reverse("admin:index")
        return redirect_to_login(target, login_url="login")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("home")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> NoReturn:
        """Would change it behind the services' back."""
        raise Http404
