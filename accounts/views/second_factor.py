"""The second step of signing in, "confirm that it is you", and the page of sign-in settings."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.forms.second_factor import (
    AddPasskeyForm,
    FactorForm,
    PasskeyForm,
    PasskeyNameForm,
    PasswordForm,
    TotpForm,
)
from accounts.middleware import confirmed, device_session, to_confirm
from accounts.models import PendingSignIn
from accounts.services import confirmation, google, passkeys, second_factor
from accounts.services.sign_in import SignIn
from accounts.views.base import NEXT_KEY, PENDING_KEY, device_of, enter
from common.errors import DomainError
from common.pages import FormPage, explained, open_to_applicants, safe_next
from common.qr import qr_svg
from common.throttling import check_rate

# --- The second step of signing in -----------------------------------------------------------


def _pending(request: HttpRequest) -> PendingSignIn:
    """The sign-in of this browser that waits for its second factor. Raises `SignInLapsed`."""
    waiting = request.session.get(PENDING_KEY)
    if waiting is None:
        raise second_factor.SignInLapsed
    return second_factor.find_pending(waiting)


def _come_in(request: HttpRequest, came_in: SignIn) -> HttpResponse:
    target = request.session.get(NEXT_KEY) or reverse("home")
    response = enter(request, came_in, then=redirect(target))
    standing = second_factor.standing_of(came_in.user)
    if standing.has_few_codes:
        messages.warning(
            request,
            _("You have few recovery codes left. Make new ones under “Sign-in and security”."),
        )
    return response


@method_decorator([login_not_required, never_cache], name="dispatch")
class SecondFactor(FormPage):
    template_name = "accounts/second_factor.html"
    form_class = FactorForm
    rate, rate_group = "10/m", "second-factor"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Only for a browser that has shown the first factor a short while ago."""
        if request.user.is_authenticated:
            return redirect("home")
        try:
            self.pending = _pending(request)
        except second_factor.SignInLapsed as error:
            messages.error(request, str(error.detail))
            return redirect("login")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        standing = second_factor.standing_of(self.pending.user)
        return super().get_context_data(standing=standing, **kwargs)

    def form_valid(self, form: Form) -> HttpResponse:
        came_in = second_factor.sign_in_by_code(
            pending=self.pending, device=device_of(self.request), **form.cleaned_data
        )
        return _come_in(self.request, came_in)


@login_not_required
@require_POST
def second_factor_passkey(request: HttpRequest) -> HttpResponse:
    with explained(request):
        check_rate(request, group="second-factor", rate="10/m")
        came_in = passkeys.show_as_second_factor(
            pending=_pending(request), device=device_of(request), **_shown(request)
        )
        return _come_in(request, came_in)
    return redirect("second-factor")


@login_not_required
@require_POST
def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    """Signing in with a passkey alone."""
    with explained(request):
        check_rate(request, group="passkey-sign-in", rate="10/m")
        came_in = passkeys.sign_in_by_passkey(device=device_of(request), **_shown(request))
        target = safe_next(request, default=reverse("home"))
        return enter(request, came_in, then=redirect(target))
    return redirect("login")


def _shown(request: HttpRequest) -> dict[str, Any]:
    """What a passkey answered. Raises `InvalidPasskey`."""
    form = PasskeyForm(request.POST)
    if not form.is_valid():
        raise passkeys.InvalidPasskey
    return form.cleaned_data


# --- What a passkey is asked, for passkeys.js ------------------------------------------------


def _put(request: HttpRequest, ask: Any, **arguments: Any) -> HttpResponse:
    """The question as JSON, or the sentence that says why there is none."""
    try:
        check_rate(request, group="passkey-options", rate="10/m")
        asked = ask(**arguments)
    except DomainError as error:
        return JsonResponse({"detail": str(error.detail)}, status=error.status_code)
    return JsonResponse({"challenge_id": asked.challenge_id, "options": asked.options})


@login_not_required
@never_cache
@require_POST
def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    return _put(request, passkeys.ask_to_sign_in)


@login_not_required
@never_cache
@require_POST
def ask_for_second_factor(request: HttpRequest) -> HttpResponse:
    return _put(request, lambda: passkeys.ask_for_second_factor(pending=_pending(request)))


@open_to_applicants
@require_POST
def ask_to_confirm(request: HttpRequest) -> HttpResponse:
    return _put(request, confirmation.ask_passkey, session=device_session(request))


@open_to_applicants
@require_POST
def ask_to_register(request: HttpRequest) -> HttpResponse:
    return _put(request, passkeys.ask_to_register, session=device_session(request))


# --- Confirm that it is you ------------------------------------------------------------------


@method_decorator(open_to_applicants, name="dispatch")
class Confirm(FormPage):
    """By the second factor if there is one, else by the password. Whoever has neither signs in
    again, which confirms as well."""

    template_name = "accounts/confirm.html"
    rate, rate_group = "10/m", "confirm"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.session = device_session(request)
        self.standing = second_factor.standing_of(self.session.user)

    def get_form_class(self) -> type[Form]:
        return FactorForm if self.standing.is_set_up else PasswordForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            standing=self.standing,
            may_confirm=self.standing.is_set_up or self.session.user.has_usable_password(),
            google_identity=google.linked_identity(self.session.user),
            next=safe_next(self.request, default=reverse("security")),
            **kwargs,
        )

    def form_valid(self, form: Form) -> HttpResponse:
        if self.standing.is_set_up:
            confirmation.confirm_by_code(session=self.session, **form.cleaned_data)
        else:
            confirmation.confirm_by_password(session=self.session, **form.cleaned_data)
        return redirect(safe_next(self.request, default=reverse("security")))


@open_to_applicants
@require_POST
def confirm_by_passkey(request: HttpRequest) -> HttpResponse:
    target = safe_next(request, default=reverse("security"))
    with explained(request):
        check_rate(request, group="confirm", rate="10/m")
        confirmation.confirm_by_passkey(session=device_session(request), **_shown(request))
        return redirect(target)
    return to_confirm(target)


# --- Sign-in and security --------------------------------------------------------------------


@open_to_applicants
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """How you sign in, and what protects it."""
    session = device_session(request)
    context = {
        "session": session,
        "standing": second_factor.standing_of(session.user),
        "google_identity": google.linked_identity(session.user),
    }
    return render(request, "accounts/security.html", context)


@method_decorator([open_to_applicants, confirmed], name="dispatch")
class AddTotp(FormPage):
    template_name = "accounts/totp_add.html"
    form_class = TotpForm
    rate, rate_group = "10/m", "totp-confirm"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        totp = second_factor.unconfirmed_totp(session=device_session(self.request))
        uri = second_factor.totp_uri(totp)
        return super().get_context_data(secret=totp.seed, uri=uri, qr=qr_svg(uri), **kwargs)

    def form_valid(self, form: Form) -> HttpResponse:
        codes = second_factor.confirm_totp(
            session=device_session(self.request), **form.cleaned_data
        )
        messages.success(self.request, _("Your authenticator app is set up."))
        return _after_adding(self.request, codes)


@method_decorator([open_to_applicants, confirmed], name="dispatch")
class AddPasskey(FormPage):
    template_name = "accounts/passkey_add.html"
    form_class = AddPasskeyForm
    rate, rate_group = "10/m", "passkey-add"

    def get_initial(self) -> dict[str, Any]:
        return {"name": device_of(self.request).name}

    def form_valid(self, form: Form) -> HttpResponse:
        _passkey, codes = passkeys.add_passkey(
            session=device_session(self.request), **form.cleaned_data
        )
        messages.success(self.request, _("Your passkey is added."))
        return _after_adding(self.request, codes)


def _after_adding(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return _show_codes(request, codes) if codes else redirect("security")


def _show_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """In the answer to the POST that made them, and nowhere else."""
    context = {"codes": codes, "made_at": timezone.now()}
    return render(request, "accounts/recovery_codes.html", context)


@open_to_applicants
@require_POST
@confirmed(back_to="security")
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes; the old ones stop working."""
    with explained(request):
        codes = second_factor.renew_recovery_codes(session=device_session(request))
        return _show_codes(request, codes)
    return redirect("security")


@open_to_applicants
@require_POST
@confirmed(back_to="security")
def totp_remove(request: HttpRequest) -> HttpResponse:
    with explained(request):
        second_factor.remove_totp(session=device_session(request))
        messages.success(request, _("Your authenticator app is removed."))
    return redirect("security")


@open_to_applicants
@require_POST
@confirmed(back_to="security")
def passkey_remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    with explained(request):
        passkeys.remove_passkey(session=device_session(request), passkey_id=pk)
        messages.success(request, _("That passkey is removed."))
    return redirect("security")


@open_to_applicants
@require_POST
def passkey_rename(request: HttpRequest, pk: UUID) -> HttpResponse:
    form = PasskeyNameForm(request.POST)
    if form.is_valid():
        session = device_session(request)
        passkeys.rename_passkey(actor=session.user, passkey_id=pk, **form.cleaned_data)
        messages.success(request, _("Your changes are saved."))
    else:
        messages.error(request, _("A passkey needs a name of at most 100 characters."))
    return redirect("security")
