"""How somebody wants to be told of things."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import TimeInput
from notifications.models import Preferences
from notifications.services import Choice
from notifications.wording import OPTIONAL, Kind, events_for

CHANNELS = {"email": _("By e-mail"), "live": _("At once, on open pages")}
Row = tuple[Kind, forms.BoundField, forms.BoundField]


class PreferencesForm(forms.Form):
    """Quiet hours, and two boxes for each event that this person can turn off."""

    quiet_from = forms.TimeField(
        label=_("From"), required=False, input_formats=["%H:%M"], widget=TimeInput()
    )
    quiet_until = forms.TimeField(
        label=_("Until"), required=False, input_formats=["%H:%M"], widget=TimeInput()
    )

    def __init__(self, *args: Any, wishes: Preferences, **kwargs: Any) -> None:
        initial = {"quiet_from": wishes.quiet_from, "quiet_until": wishes.quiet_until}
        super().__init__(*args, initial=initial, **kwargs)
        self.kinds = [kind for kind in events_for(wishes.user.role) if kind in OPTIONAL]
        for kind in self.kinds:
            self._add_box("email", kind, is_ticked=kind not in wishes.no_email)
            self._add_box("live", kind, is_ticked=kind not in wishes.no_live)

    def rows(self) -> Iterator[Row]:
        for kind in self.kinds:
            yield kind, self[f"email-{kind}"], self[f"live-{kind}"]

    def choices(self) -> list[Choice]:
        chosen = self.cleaned_data
        return [
            {"kind": kind, "email": chosen[f"email-{kind}"], "live": chosen[f"live-{kind}"]}
            for kind in self.kinds
        ]

    def _add_box(self, channel: str, kind: Kind, *, is_ticked: bool) -> None:
        self.fields[f"{channel}-{kind}"] = forms.BooleanField(
            label=CHANNELS[channel], required=False, initial=is_ticked
        )
