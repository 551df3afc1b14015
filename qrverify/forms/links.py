"""What a patient chooses to share by a link."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import RadioCards
from qrverify.models import LinkedData, SharedLink
from qrverify.services.links import LONGEST_PASSCODE, SHORTEST_PASSCODE, Wish

HOURS = (
    (1, _("One hour")),
    (24, _("One day")),
    (7 * 24, _("One week")),
    (30 * 24, _("30 days")),
    (365 * 24, _("One year")),
)


class LinkForm(forms.Form):
    """Valid, it is a `Wish`."""

    content = forms.ChoiceField(
        label=_("What it shows"),
        choices=SharedLink.Content.choices,
        initial=SharedLink.Content.SUMMARY,
        widget=RadioCards(
            icons={"EMERGENCY": "siren", "SUMMARY": "clipboard-list"},
            hints={
                "EMERGENCY": _(
                    "What you chose to show on your emergency card. Your emergency contacts are "
                    "told when it is opened."
                ),
                "SUMMARY": _("Your name, your birth date, and what you tick below."),
            },
        ),
    )
    categories = forms.MultipleChoiceField(
        label=_("In the summary"),
        choices=LinkedData.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    hours = forms.TypedChoiceField(
        label=_("It works for"), choices=HOURS, coerce=int, initial=7 * 24
    )
    passcode = forms.CharField(
        label=_("Passcode"),
        required=False,
        strip=False,
        min_length=SHORTEST_PASSCODE,
        max_length=LONGEST_PASSCODE,
        help_text=_(
            "At least six characters. Tell it to whoever shall open the link, in another way "
            "than the link. Ten wrong ones end the link."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    label = forms.CharField(
        label=_("Label"),
        required=False,
        max_length=SharedLink.LABEL_LENGTH,
        help_text=_("Such as “For Dr Nabil’s clinic”. Whoever has the link sees it."),
    )

    def wish(self) -> Wish:
        """As the service takes it: an emergency card has no categories."""
        data: dict[str, Any] = dict(self.cleaned_data)
        if data["content"] == SharedLink.Content.EMERGENCY:
            data["categories"] = []
        return Wish(lasts=dt.timedelta(hours=data.pop("hours")), **data)
