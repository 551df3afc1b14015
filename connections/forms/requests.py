"""What is typed and ticked around requests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from common.documents import IMAGE_TYPES
from common.forms import TimeInput
from connections.forms.sharing import SharingForm
from connections.models import Connection, ConnectionRequest, Weekday


class RequestForm(SharingForm):
    """A few words, a picture, and what the doctor would see once connected."""

    notes = forms.CharField(
        label=_("What brings you"),
        max_length=ConnectionRequest.NOTES_LENGTH,
        required=False,
        help_text=_("The doctor reads this before answering."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    prescription_image = forms.FileField(
        label=_("A photo of an earlier prescription"),
        required=False,
        # The service says what is wrong with it, also where it is empty.
        allow_empty_file=True,
        help_text=format_lazy(
            _("A JPEG, PNG or WebP, up to {size} MB. Where it was taken is removed."),
            size=settings.DOCUMENT_MAX_BYTES // (1024 * 1024),
        ),
        widget=forms.FileInput(attrs={"accept": ",".join(IMAGE_TYPES.values())}),
    )


class AvailabilityForm(forms.Form):
    """When a patient reaches the doctor. Nothing said is nothing promised."""

    available_days = forms.MultipleChoiceField(
        label=_("Days on which the patient reaches you"),
        choices=Weekday.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    available_from = forms.TimeField(label=_("From"), required=False, widget=TimeInput)
    available_until = forms.TimeField(label=_("Until"), required=False, widget=TimeInput)

    @staticmethod
    def initial_of(connection: Connection) -> dict[str, Any]:
        names = ("available_days", "available_from", "available_until")
        return {name: getattr(connection, name) for name in names}

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        for name, other in (
            ("available_from", "available_until"),
            ("available_until", "available_from"),
        ):
            if data.get(other) and not data.get(name) and name not in self.errors:
                self.add_error(name, _("Say both hours, or none."))
        return data

    def availability(self) -> dict[str, Any]:
        """As the services take it."""
        hours: tuple[dt.time, dt.time] | None = None
        if self.cleaned_data["available_from"]:
            hours = self.cleaned_data["available_from"], self.cleaned_data["available_until"]
        return {"days": self.cleaned_data["available_days"], "hours": hours}


class RejectForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=ConnectionRequest.REASON_LENGTH,
        required=False,
        help_text=_("Ten characters or more, or none. The patient reads it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
