"""Signing in with Google, page by page: out, back, and what may still be asked.

Leaving is a link and no form, for a form of ours may lead nowhere but to us (`form-action`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts import oidc
from accounts.forms.google import LinkForm, NewcomerForm
from accounts.middleware import confirmed, device_session
from accounts.services import confirmation, google
from accounts.services.sign_in import SignIn
from accounts.views.base import device_of, enter
from common.pages import FormPage, explained, open_to_applicants, safe_next
from common.throttling import check_rate

# What the browser's session keeps on the way: what it left with, where it wants to go, and whom
# Google vouched for while something is still asked of them.
ATTEMPT_KEY = "google_attempt"
NEXT_KEY = "google_next"
IDENTITY_KEY = "google_identity"

Answer = TypeVar("Answer", bound=HttpResponseBase)


def offered(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """Marks a page that is not there where Google is not configured."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Answer:
        if not oidc.is_configured():
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@login_not_required
@require_GET
@never_cache
@offered
def start(request: HttpRequest) -> HttpResponse:
    """Leave for Google: to sign in; or, signed in, to link an account or to confirm by it."""
    check_rate(request, group="google", rate="10/m")
    if request.user.is_authenticated and not google.linked_identity(request.user):
        return cast("HttpResponse", confirmed(_leave)(request))
    return _leave(request)


@login_not_required
@require_GET
@never_cache
@offered
def callback(request: HttpRequest) -> HttpResponse:
    """Come back from Google. What the browser left with is good once."""
    check_rate(request, group="google-callback", rate="10/m")
    attempt = request.session.pop(ATTEMPT_KEY, None)
    if "error" in request.GET:
        messages.info(request, _("You did not go on with Google. Nothing has changed."))
        return redirect("security" if request.user.is_authenticated else "login")
    identity = oidc.identity_from_callback(
        request.GET.dict(), attempt, come_back_to=_come_back_to()
    )
    if request.user.is_authenticated:
        return _back_signed_in(request, identity)
    return _back(request, identity)


@method_decorator([login_not_required, never_cache, offered], name="dispatch")
class GoogleStep(FormPage):
    """What is still asked of whoever Google has just vouched for."""

    identity: oidc.Identity

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        identity = _kept_identity(request)
        if identity is None:
            return redirect("login")
        self.identity = identity
        return cast("HttpResponse", super().dispatch(request, *args, **kwargs))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(identity=self.identity, **kwargs)


class Link(GoogleStep):
    """The password of the account that has the address, once."""

    template_name = "accounts/google_link.html"
    form_class = LinkForm
    rate, rate_group = "5/m", "login"

    def form_valid(self, form: Form) -> HttpResponse:
        came_in = google.come_in(
            identity=self.identity, device=device_of(self.request), **form.cleaned_data
        )
        return _enter(self.request, came_in)


class ChooseRole(GoogleStep):
    """Who somebody without an account is here, and the name to go by."""

    template_name = "accounts/google_role.html"
    form_class = NewcomerForm
    rate, rate_group = "10/m", "register-init"

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.identity, name) for name in ("first_name", "last_name")}

    def form_valid(self, form: Form) -> HttpResponse:
        newcomer = google.Newcomer(
            language=get_language() or settings.LANGUAGE_CODE, **form.cleaned_data
        )
        came_in = google.come_in(
            identity=self.identity, device=device_of(self.request), newcomer=newcomer
        )
        return _enter(self.request, came_in)


@open_to_applicants
@require_POST
@confirmed(back_to="security")
def unlink(request: HttpRequest) -> HttpResponse:
    """Also where Google is not configured any more: nobody has to stay linked for that."""
    with explained(request):
        google.unlink_identity(session=device_session(request))
        messages.success(request, _("Google no longer signs in to your account."))
    return redirect("security")


def _leave(request: HttpRequest) -> HttpResponse:
    attempt = oidc.Attempt.begin()
    address = oidc.address_to_leave_for(attempt, come_back_to=_come_back_to())
    home = reverse("security" if request.user.is_authenticated else "home")
    request.session[ATTEMPT_KEY] = attempt.kept()
    request.session[NEXT_KEY] = safe_next(request, default=home)
    return redirect(address)


def _back(request: HttpRequest, identity: oidc.Identity) -> HttpResponse:
    try:
        came_in = google.come_in(identity=identity, device=device_of(request))
    except google.LinkRequiresPassword:
        step = "google-link"
    except google.RoleRequired:
        step = "google-role"
    else:
        return _enter(request, came_in)
    request.session[IDENTITY_KEY] = identity.kept()
    return redirect(step)


def _back_signed_in(request: HttpRequest, identity: oidc.Identity) -> HttpResponse:
    session = device_session(request)
    target = request.session.pop(NEXT_KEY, reverse("security"))
    with explained(request):
        if google.linked_identity(session.user):
            confirmation.confirm_by_google(session=session, identity=identity)
            return redirect(target)
        google.link_identity(session=session, identity=identity)
        messages.success(request, _("Google signs in to your account from now on."))
    return redirect("security")


def _enter(request: HttpRequest, came_in: SignIn) -> HttpResponse:
    request.session.pop(IDENTITY_KEY, None)
    target = request.session.pop(NEXT_KEY, reverse("home"))
    return enter(request, came_in, then=redirect(target))


def _kept_identity(request: HttpRequest) -> oidc.Identity | None:
    kept = request.session.get(IDENTITY_KEY)
    identity = oidc.Identity.of(kept) if kept else None
    return identity if identity and timezone.now() < identity.expires_at else None


def _come_back_to() -> str:
    return f"{settings.SITE_URL}{reverse('google-callback')}"
