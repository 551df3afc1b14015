"""What Google does not tell."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import NameForm
from accounts.forms.registration import RoleForm


class NewcomerForm(RoleForm, NameForm):
    field_order = ("role", "first_name", "last_name")


class LinkForm(forms.Form):
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
