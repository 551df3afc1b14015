"""Forms around the emergency card: the patient's, and the responder's."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import SpokenLanguage
from qrverify.emergency_paper import SIZES
from qrverify.models import EmergencyCard, EmergencyScan
from qrverify.services.emergency import FROM_PROFILE, Choice

SEEN = re.compile(r"(?P<field>[A-Z_]{1,20})\.(?P<version>[0-9a-f]{64})")


class ChooseForm(forms.Form):
    """What the card shall show."""

    shows = forms.MultipleChoiceField(
        label=_("What a responder sees"),
        choices=[(field.value, field.label) for field in FROM_PROFILE],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Read from your profile and your lists at the moment the card is opened."),
    )
    languages = forms.MultipleChoiceField(
        label=_("Languages you speak"),
        choices=SpokenLanguage.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(
        label=_("Anything else a responder should know"),
        required=False,
        max_length=EmergencyCard.NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Such as: a pacemaker, a hearing aid, no blood transfusion."),
    )
    shows_name = forms.BooleanField(
        label=_("Show first name and initial on the outside"),
        required=False,
        help_text=_("On the paper, on the wallpaper, and before somebody says why they open it."),
    )

    @classmethod
    def of(cls, card: EmergencyCard | None) -> ChooseForm:
        """As the card stands; without one, everything that there is to show is proposed."""
        if card is None:
            return cls(initial={"shows": list(FROM_PROFILE)})
        return cls(
            initial={
                "shows": card.chosen,
                "languages": card.languages,
                "note": card.note,
                "shows_name": card.shows_name,
            }
        )

    def choice(self) -> Choice:
        said = self.cleaned_data
        return Choice(said["shows"], said["languages"], said["note"], said["shows_name"])


class SeenField(forms.MultipleChoiceField):
    """For each field that is ticked its code, and the version of it that stood on the page."""

    def valid_value(self, value: Any) -> bool:
        return bool(SEEN.fullmatch(str(value)))


class ConfirmForm(forms.Form):
    """What the patient says is right."""

    seen = SeenField(error_messages={"required": _("Choose at least one.")})

    def versions(self) -> dict[str, str]:
        return dict(value.split(".") for value in self.cleaned_data["seen"])


class OpenForm(forms.Form):
    """Who opens a card, and why."""

    responder_name = forms.CharField(
        label=_("Your name"),
        max_length=EmergencyScan.NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    reason_code = forms.ChoiceField(
        label=_("What happened"), choices=EmergencyScan.Reason.choices, widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label=_("In a few words"),
        required=False,
        max_length=EmergencyScan.REASON_LENGTH,
        help_text=_("Needed only for “Something else”."),
    )


class WallpaperForm(forms.Form):
    """Which picture."""

    size = forms.ChoiceField(choices=[(size, size) for size in SIZES])
