"""What an administrator types about a pharmacy."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class ApproveForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=160)
    licence_number = forms.CharField(label=_("Licence number"), max_length=40)
