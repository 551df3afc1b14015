"""What anybody shows on the page that reads QR codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from qrverify.payloads import LONGEST
from qrverify.smart.chunks import PREFIX

MOST_PHOTOS = 8


class PhotosInput(forms.FileInput):
    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Several photos at once: a long health card is printed in several codes."""

    widget = PhotosInput(attrs={"accept": "image/*"})

    def clean(self, data: Sequence[Any] | None, initial: Any = None) -> Any:
        photos = [super(PhotosField, self).clean(photo, initial) for photo in data or []]
        if len(photos) > MOST_PHOTOS:
            raise ValidationError(_("At most %(n)s photos at once.") % {"n": MOST_PHOTOS})
        return photos

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data


class CheckForm(forms.Form):
    """Codes in one of three ways: the camera fills in the text field, too."""

    text = forms.CharField(
        label=_("What the code holds"),
        required=False,
        strip=False,
        max_length=LONGEST,
        help_text=_("Paste or type it. Of a health card in several codes: one below the other."),
        widget=forms.Textarea(
            attrs={
                "rows": 3,
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
                "dir": "ltr",
                "data-scanner-result": True,
            }
        ),
    )
    photos = PhotosField(
        label=_("Or photos of it"),
        required=False,
        help_text=_("A photo may show several codes."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned["text"] and not cleaned["photos"]:
            self.add_error("text", _("Paste what the code holds, or choose a photo of it."))
        return cleaned

    @property
    def texts(self) -> list[str]:
        """What was typed, or each line of it where each is a part of a health card."""
        text = self.cleaned_data["text"]
        lines = re.split(r"[\r\n]+", text.strip("\r\n"))
        return lines if all(line.startswith(PREFIX) for line in lines) else [text]
