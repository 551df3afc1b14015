"""Showing a second factor, adding one, confirming."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import DigitsField
from common.forms import OneTimeCodeInput


class TotpForm(forms.Form):
    """The first code of an app just set up."""

    code = DigitsField(
        label=_("Code from the app"), min_length=6, max_length=6, widget=OneTimeCodeInput
    )


class FactorForm(forms.Form):
    """A code of the app, or one from paper."""

    code = DigitsField(
        label=_("Code"),
        max_length=20,
        help_text=_("Six digits from your authenticator app, or one of your recovery codes."),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "dir": "ltr", "autocapitalize": "characters"}
        ),
    )


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ObjectField(forms.JSONField):
    """A JSON object, and not one nested so deeply that reading it fails."""

    def to_python(self, value: Any) -> Any:
        try:
            parsed = super().to_python(value)
        except RecursionError as error:
            raise self._refusal(value) from error
        if parsed is not None and not isinstance(parsed, dict):
            raise self._refusal(value)
        return parsed

    def bound_data(self, data: Any, initial: Any) -> Any:
        """As it came: the page does not read it once more to show it again."""
        return data

    def prepare_value(self, value: Any) -> Any:
        return value

    def _refusal(self, value: Any) -> ValidationError:
        message = self.error_messages["invalid"]
        return ValidationError(message, code="invalid", params={"value": value})


class PasskeyForm(forms.Form):
    """Filled in by `passkeys.js`: which question, and what the authenticator answered."""

    challenge_id = forms.UUIDField(widget=forms.HiddenInput)
    credential = ObjectField(widget=forms.HiddenInput)


class AddPasskeyForm(PasskeyForm):
    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("So that you know it again, such as “My phone”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name",)


class PasskeyNameForm(forms.Form):
    name = forms.CharField(max_length=100)
