"""Shapes of what is typed, scanned and photographed around QR codes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from qrverify.payloads import LONGEST

MINUTES = (5, 15, 60)


def _minutes() -> list[tuple[int, str]]:
    return [(n, ngettext("%(n)d minute", "%(n)d minutes", n) % {"n": n}) for n in MINUTES]


class ShowForm(forms.Form):
    """How long a code shall work."""

    expiry_minutes = forms.TypedChoiceField(
        label=_("It works for"),
        choices=_minutes,
        coerce=int,
        initial=MINUTES[0],
    )


class ScanForm(forms.Form):
    """A code in one of three ways: the camera fills in the text field, too."""

    token = forms.CharField(
        label=_("Code"),
        max_length=LONGEST,
        strip=False,
        error_messages={"required": _("Type the code, or choose a photo of it.")},
        help_text=_("The ten characters below the square, like 7K3M9-Q2TC4."),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "dir": "ltr",
                "data-scanner-result": True,
            }
        ),
    )
    photo = forms.FileField(
        label=_("Or a photo of it"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}),
    )

    # Whether one is missing is known when both have been looked at, and that is here.
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["token"].required = "photo" not in self.files
