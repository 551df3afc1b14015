"""What a patient types to ask for the same again, and a doctor to decline."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from prescriptions.models import RefillRequest


class RefillForm(forms.Form):
    note = forms.CharField(
        label=_("A word to the doctor"),
        max_length=RefillRequest.LONGEST,
        required=False,
        help_text=_("How you are, or what has changed since."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class DeclineForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=RefillRequest.LONGEST,
        help_text=_("The patient reads it. Say what to do instead."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
