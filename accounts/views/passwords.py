"""A forgotten or changed password, and another e-mail address, page by page."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts.device_keys import brought_key, key_of
from accounts.forms.fields import CodeForm
from accounts.forms.passwords import (
    ChangeEmailForm,
    ChangePasswordForm,
    ForgotPasswordForm,
    NewPasswordForm,
)
from accounts.middleware import confirmed, device_session, leave_portal
from accounts.models import EmailChange, OneTimeCode, PasswordReset
from accounts.services import addresses, passwords
from accounts.services.sessions import Device
from accounts.views.base import device_of
from common.client import client_address
from common.errors import DomainError
from common.pages import FormPage, add_refusal, explained, open_to_applicants, with_status
from common.public import chosen_language, public_page
from common.throttling import check_rate

RESET_KEY = "password_reset"
TOKEN_KEY = "password_reset_token"  # noqa: S105
CHANGE_KEY = "email_change"
# Shared with the API.
NEW_PASSWORD_GROUP, NEW_PASSWORD_RATE = "reset-password", "3/m"

public = method_decorator([login_not_required, never_cache], name="dispatch")


@public
class ForgotPassword(FormPage):
    """Open to whoever is signed in too: an account made with Google chooses its first password
    here."""

    template_name = "accounts/password_forgot.html"
    form_class = ForgotPasswordForm
    rate, rate_group = "3/5m", "forgot-password"
    rate_subject, rate_flood = "email", "30/5m"

    def form_valid(self, form: Form) -> HttpResponse:
        reset = passwords.request_reset(
            email=form.cleaned_data["email"], device=device_of(self.request)
        )
        self.request.session[RESET_KEY] = str(reset.pk)
        return redirect("password-code")


def _reset_of(request: HttpRequest) -> PasswordReset | None:
    """The reset that this browser waits for the code of."""
    waiting = PasswordReset.objects.awaiting_code(timezone.now())
    return waiting.filter(pk=request.session.get(RESET_KEY)).first()


@public
class ResetCode(FormPage):
    template_name = "accounts/password_code.html"
    form_class = CodeForm
    rate, rate_group = "5/m", "verify-reset-otp"
    reset: PasswordReset

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        reset = _reset_of(request)
        if reset is None:
            return redirect("password-forgot")
        self.reset = reset
        return cast("HttpResponse", super().dispatch(request, *args, **kwargs))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            email=self.reset.email,
            resend_at=_if_ahead(self.reset.asked_at + OneTimeCode.RESEND_AFTER),
            **kwargs,
        )

    def form_valid(self, form: Form) -> HttpResponse:
        token = passwords.verify_reset_code(reset_id=self.reset.pk, code=form.cleaned_data["otp"])
        self.request.session.cycle_key()
        self.request.session.pop(RESET_KEY)
        self.request.session[TOKEN_KEY] = token
        return redirect("password-new")


@login_not_required
@require_POST
def resend_reset_code(request: HttpRequest) -> HttpResponse:
    reset = _reset_of(request)
    if reset is None:
        return redirect("password-forgot")
    with explained(request):
        check_rate(request, group="resend-otp", rate="3/2m")
        passwords.resend_code(reset_id=reset.pk, device=device_of(request))
        # The same for everybody, and true for all: also where there is no account, and where the
        # link of the mail was used by now.
        messages.info(
            request,
            _(
                "If the address has an account and no new password was chosen meanwhile, a new "
                "code and link are on their way; the old ones no longer work. If no mail comes, "
                "begin again."
            ),
        )
    return redirect("password-code")


@public
class NewPassword(FormPage):
    template_name = "accounts/password_new.html"
    form_class = NewPasswordForm
    rate, rate_group = NEW_PASSWORD_RATE, NEW_PASSWORD_GROUP

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The token lasts ten minutes; whoever comes later begins again."""
        token = request.session.get(TOKEN_KEY, "")
        if not PasswordReset.objects.with_token(token, timezone.now()).exists():
            if request.session.pop(TOKEN_KEY, None):
                messages.warning(request, str(passwords.ResetExpired.detail))
            return redirect("password-forgot")
        return cast("HttpResponse", super().dispatch(request, *args, **kwargs))

    def form_valid(self, form: Form) -> HttpResponse:
        passwords.reset_password(
            reset_token=self.request.session[TOKEN_KEY],
            new_password=form.cleaned_data["new_password"],
            device=device_of(self.request),
        )
        leave_portal(self.request)
        messages.success(self.request, _("Your password is changed. Sign in with the new one."))
        return redirect("login")


# The secret in the address is the only authority, so another site that made a browser post here
# would have to know it; and a page that sends no referrer has no origin to be checked. What the
# browser keeps is not touched by the answer: neither its session nor what its device is known by.
@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def reset_link(request: HttpRequest, secret: str) -> HttpResponse:
    """The link of a mail: a new password without the code. Opening it changes nothing."""
    with translation.override(chosen_language(request)):
        try:
            if request.method == "POST":
                return _password_chosen(request, secret)
            # Kept from now on, to be brought with the form.
            key_of(request)
            return _password_choice(request, secret, NewPasswordForm())
        except passwords.ResetLinkGone as error:
            page = public_page(request, "accounts/reset_link_gone.html", error=error)
            return with_status(page, error)


def _password_choice(
    request: HttpRequest, secret: str, form: Form, status: int = 200
) -> HttpResponse:
    reset = passwords.find_link(secret=secret)
    return public_page(
        request, "accounts/reset_link.html", status=status, form=form, email=reset.email
    )


def _password_chosen(request: HttpRequest, secret: str) -> HttpResponse:
    form = NewPasswordForm(request.POST)
    device = Device(ip_address=client_address(request), key=brought_key(request))
    try:
        check_rate(request, group=NEW_PASSWORD_GROUP, rate=NEW_PASSWORD_RATE)
        if not form.is_valid():
            return _password_choice(request, secret, form, status=400)
        passwords.reset_by_link(secret=secret, device=device, **form.cleaned_data)
    except passwords.ResetLinkGone:
        raise
    except DomainError as error:
        add_refusal(form, error)
        return with_status(_password_choice(request, secret, form), error)
    return public_page(request, "accounts/reset_link_done.html")


@method_decorator([open_to_applicants, never_cache], name="dispatch")
class ChangePassword(FormPage):
    template_name = "accounts/password_change.html"
    form_class = ChangePasswordForm
    rate, rate_group = "5/m", "change-password"

    def form_valid(self, form: Form) -> HttpResponse:
        passwords.change_password(session=device_session(self.request), **form.cleaned_data)
        messages.success(
            self.request, _("Your password is changed. Every other device is signed out.")
        )
        return redirect("security")


@method_decorator([open_to_applicants, confirmed, never_cache], name="dispatch")
class ChangeEmail(FormPage):
    template_name = "accounts/email_change.html"
    form_class = ChangeEmailForm
    rate, rate_group = "3/5m", "change-email"

    def form_valid(self, form: Form) -> HttpResponse:
        change = addresses.request_change(
            session=device_session(self.request), new_email=form.cleaned_data["new_email"]
        )
        self.request.session[CHANGE_KEY] = str(change.pk)
        return redirect("email-code")


def _change_of(request: HttpRequest) -> EmailChange | None:
    """The change that this browser waits for the code of."""
    waiting = EmailChange.objects.open(timezone.now()).filter(user_id=request.user.pk)
    return waiting.filter(pk=request.session.get(CHANGE_KEY)).select_related("code").first()


@method_decorator([open_to_applicants, never_cache], name="dispatch")
class EmailCode(FormPage):
    template_name = "accounts/email_code.html"
    form_class = CodeForm
    rate, rate_group = "5/m", "verify-email-change"
    change: EmailChange

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        change = _change_of(request)
        if change is None:
            return redirect("email-change")
        self.change = change
        return cast("HttpResponse", super().dispatch(request, *args, **kwargs))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            email=self.change.email,
            resend_at=_if_ahead(self.change.code.sent_at + OneTimeCode.RESEND_AFTER),
            **kwargs,
        )

    def form_valid(self, form: Form) -> HttpResponse:
        addresses.verify_change(
            session=device_session(self.request),
            change_id=self.change.pk,
            code=form.cleaned_data["otp"],
        )
        self.request.session.pop(CHANGE_KEY)
        messages.success(
            self.request, _("Your address is changed. Every other device is signed out.")
        )
        return redirect("security")


@open_to_applicants
@require_POST
def resend_email_code(request: HttpRequest) -> HttpResponse:
    change = _change_of(request)
    if change is None:
        return redirect("email-change")
    with explained(request):
        check_rate(request, group="resend-otp", rate="3/2m")
        addresses.resend_code(change_id=change.pk)
        messages.success(request, _("A new code is on its way. The old one no longer works."))
    return redirect("email-code")


def _if_ahead(at: dt.datetime) -> dt.datetime | None:
    """What the countdown counts to, while there is something to count."""
    return at if at > timezone.now() else None
