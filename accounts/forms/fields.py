"""Fields that more than one form asks for."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from accounts.models import User
from common.documents import IMAGE_TYPES, PDF_TYPE
from common.forms import OneTimeCodeInput


class DigitsField(forms.CharField):
    """A number as people type it: Arabic digits count as digits, and spaces do not count."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return "".join(
            str(unicodedata.decimal(character, character))
            for character in text
            if not character.isspace()
        )


class PhoneField(PhoneNumberField):
    def __init__(self, **kwargs: Any) -> None:
        attrs = {"type": "tel", "autocomplete": "tel", "dir": "ltr"}
        super().__init__(label=_("Phone"), widget=forms.TextInput(attrs=attrs), **kwargs)


class DocumentField(forms.FileField):
    """A scan or photo; what it contains is judged by the service."""

    def __init__(self, **kwargs: Any) -> None:
        accept = ",".join([PDF_TYPE, *IMAGE_TYPES.values()])
        super().__init__(
            widget=forms.FileInput(attrs={"accept": accept}),
            help_text=format_lazy(
                _("A PDF or a photo, up to {size} MB."),
                size=settings.DOCUMENT_MAX_BYTES // (1024 * 1024),
            ),
            **kwargs,
        )


def new_password_field() -> forms.CharField:
    """A password being chosen; the services judge it."""
    return forms.CharField(
        label=_("New password"),
        max_length=128,
        strip=False,
        help_text=_("At least 10 characters. A short sentence is easy to remember."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class NameForm(forms.Form):
    first_name = forms.CharField(
        label=_("First name"),
        max_length=User.NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        label=_("Last name"),
        max_length=User.NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )


class CodeForm(forms.Form):
    otp = DigitsField(label=_("Code"), min_length=6, max_length=6, widget=OneTimeCodeInput)
