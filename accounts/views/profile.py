"""The own account."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.forms.profile import AccountForm, LanguageForm
from accounts.services import profiles
from common.pages import FormPage, open_to_applicants, safe_next


@method_decorator(open_to_applicants, name="dispatch")
class Account(FormPage):
    template_name = "accounts/profile.html"
    form_class = AccountForm

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.request.user, name) for name in profiles.CHANGEABLE}

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"user": self.request.user}

    def form_valid(self, form: Form) -> HttpResponse:
        user = profiles.update_own_account(actor=self.request.user, changes=form.cleaned_data)
        with translation.override(user.language):
            messages.success(self.request, _("Your changes are saved."))
        return _remember_language(redirect("profile"), user.language)


@login_not_required
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Speak another language from here on: to this browser, and to its user everywhere."""
    form = LanguageForm(request.POST)
    if not form.is_valid():
        raise BadRequest("No such language.")
    language = form.cleaned_data["language"]
    if request.user.is_authenticated:
        profiles.update_own_account(actor=request.user, changes={"language": language})
    return _remember_language(redirect(safe_next(request, default=reverse("home"))), language)


def _remember_language(response: HttpResponse, language: str) -> HttpResponse:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
    )
    return response
