"""What an administrator writes when they act on an account."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.services.texts import TEXT_LENGTH


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("It stays on record. The person may find it in the copy of their data."),
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class AnonymiseForm(ReasonForm):
    email = forms.EmailField(
        label=_("E-mail address of the account"),
        help_text=_("Type it, so that nobody is forgotten by a slip."),
        max_length=User.EMAIL_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    field_order = ("email", "reason")
