"""Signing in and out, and where one is signed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.forms.sessions import LoginForm
from accounts.middleware import device_session, leave_portal
from accounts.models import DeviceSession, SignInMethod
from accounts.places import place_of
from accounts.services import sessions as sign_ins
from accounts.services import sign_in
from accounts.views.base import device_of, enter
from common.pages import FormPage, open_to_applicants, safe_next


@method_decorator([login_not_required, never_cache], name="dispatch")
class Login(FormPage):
    """Whoever has not finished registering goes on with that instead."""

    template_name = "accounts/login.html"
    form_class = LoginForm
    rate, rate_group = "5/m", "login"
    rate_subject, rate_flood = "email", "60/m"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Whoever is signed in is not asked again: tries are counted by address here."""
        if request.user.is_authenticated:
            return redirect(safe_next(request, default=reverse("home")))
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=safe_next(self.request, default=""), **kwargs)

    def form_valid(self, form: Form) -> HttpResponse:
        onward = redirect(safe_next(self.request, default=reverse("home")))
        device = device_of(self.request)
        user = sign_in.authenticate(**form.cleaned_data, device=device)
        came_in = sign_in.begin(user=user, method=SignInMethod.PASSWORD, device=device)
        return enter(self.request, came_in, then=onward)


@login_not_required
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the device session; for someone signed out already, just show the door."""
    if request.user.is_authenticated:
        sign_ins.sign_out(session=device_session(request))
        leave_portal(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


@open_to_applicants
@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """Where you are signed in; this browser comes first."""
    current = device_session(request)
    found = DeviceSession.objects.visible_to(request.user).live(timezone.now())
    others = [(one, place_of(one.ip_address)) for one in found if one.pk != current.pk]
    context = {"current": current, "place": place_of(current.ip_address), "others": others}
    return render(request, "accounts/sessions.html", context)


@open_to_applicants
@require_POST
def revoke_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Sign one device out; if it is this one, at once."""
    sign_ins.revoke_session(actor=request.user, session_id=pk)
    if pk == device_session(request).pk:
        leave_portal(request)
        return redirect(settings.LOGOUT_REDIRECT_URL)
    messages.success(request, _("That device is signed out."))
    return redirect("sessions")


@open_to_applicants
@require_POST
def revoke_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    sign_ins.revoke_other_sessions(session=device_session(request))
    messages.success(request, _("You are signed out everywhere else."))
    return redirect("sessions")
