"""What a printed QR code claims, and what opens the paper."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import OneTimeCodeInput


class VerifyForm(forms.Form):
    """What a printed QR claims of its prescription: version and start of the content hash."""

    v = forms.IntegerField(min_value=1, max_value=32767)
    h = forms.RegexField(r"\A[0-9a-f]{16}\Z", strip=False)


class PinForm(forms.Form):
    """The paper's secret, and the PIN that the patient knows."""

    code = forms.CharField(max_length=64, widget=forms.HiddenInput)
    pin = forms.RegexField(
        r"\A\d{6}\Z",
        label=_("PIN"),
        help_text=_("Six digits. The patient finds them in MediSync, beside this prescription."),
        error_messages={"invalid": _("The PIN has six digits.")},
        widget=OneTimeCodeInput(attrs={"autocomplete": "off"}),
    )
