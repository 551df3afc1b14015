"""The page of the design system: every component, in either language and theme. DEBUG only."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from common.forms import DateInput, OneTimeCodeInput, RadioCards

THEMES = ("auto", "light", "dark")
ROLES = ("", "PATIENT", "DOCTOR", "ADMIN")


class SampleForm(forms.Form):
    """One field of each kind."""

    role = forms.ChoiceField(
        label=_("I am"),
        choices=[("PATIENT", _("A patient")), ("DOCTOR", _("A doctor"))],
        widget=RadioCards(
            icons={"PATIENT": "user-round", "DOCTOR": "stethoscope"},
            hints={
                "PATIENT": _("I receive prescriptions and talk to my doctor."),
                "DOCTOR": _("I treat patients; my licence is checked first."),
            },
        ),
    )
    email = forms.EmailField(label=_("Email"))
    password = forms.CharField(
        label=_("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters."),
    )
    code = forms.CharField(
        label=_("Code"), widget=OneTimeCodeInput, help_text=_("The six digits we sent you.")
    )
    phone = forms.CharField(
        label=_("Phone"), widget=forms.TextInput(attrs={"type": "tel"}), required=False
    )
    birth_date = forms.DateField(label=_("Birth date"), widget=DateInput)
    route = forms.ChoiceField(
        label=_("Route"), choices=[("oral", _("By mouth")), ("topical", _("On the skin"))]
    )
    sex = forms.ChoiceField(
        label=_("Sex"),
        choices=[("F", _("Female")), ("M", _("Male"))],
        widget=forms.RadioSelect,
    )
    instructions = forms.CharField(
        label=_("Instructions"), widget=forms.Textarea(attrs={"rows": 3}), required=False
    )
    licence = forms.FileField(
        label=_("Licence document"), help_text=_("PDF or image, up to 10 MB.")
    )
    as_needed = forms.BooleanField(label=_("Only when needed"), required=False)


def _chosen(request: HttpRequest, name: str, allowed: tuple[str, ...], default: str) -> str:
    value = request.GET.get(name, default)
    return value if value in allowed else default


@login_not_required
@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """`?lang=`, `?theme=` and `?role=` choose what the page is shown in, without remembering it."""
    if not settings.DEBUG:
        raise Http404
    languages = tuple(code for code, _name in settings.LANGUAGES)
    language = _chosen(request, "lang", languages, translation.get_language() or languages[0])
    role = _chosen(request, "role", ROLES, "PATIENT")
    now = timezone.now()
    context = {
        "theme": _chosen(request, "theme", THEMES, "auto"),
        "themes": THEMES,
        "role": role,
        "user": SimpleNamespace(
            is_authenticated=bool(role),
            role=role,
            full_name="منى عادل",
            display_name="منى عادل",
            email="mona@example.org",
        ),
        "unread_notifications": 3,
        "form": SampleForm(),
        "wrong_form": SampleForm({"email": "mona@", "code": "12"}, auto_id="wrong_%s"),
        "points": list(zip("123456", (12, 18, 9, 24, 31, 22), strict=True)),
        "now": now,
        "soon": now + dt.timedelta(minutes=4),
    }
    with translation.override(language):
        return render(request, "medisync/design.html", context)
