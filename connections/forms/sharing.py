"""What a patient chooses that a doctor sees. Other forms of the circle of care build on it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.clock import clinic_date
from common.forms import CheckGroups, DateInput
from connections.models import AccessGrant, DataCategory, Purpose
from connections.services.grants import NOTHING, Sharing

YEAR = dt.timedelta(days=365)
QUARTER = dt.timedelta(days=91)

ABOUT_YOU = (
    DataCategory.FACTS,
    DataCategory.ALLERGIES,
    DataCategory.CONDITIONS,
    DataCategory.MEDICATIONS,
    DataCategory.EMERGENCY_CONTACTS,
)
PRESCRIBED = (DataCategory.PRESCRIPTIONS, DataCategory.PRESCRIPTION_SCAN)
DOCUMENTS = (
    DataCategory.LAB_RESULT,
    DataCategory.IMAGING,
    DataCategory.REPORT,
    DataCategory.VACCINATION,
    DataCategory.OTHER,
)


def choices(*members: models.TextChoices) -> list[Any]:
    return [(member.value, member.label) for member in members]


class Since(models.TextChoices):
    ALL = "all", _("All, however old")
    YEAR = "year", _("Those of the last year")
    DATE = "date", _("Those from a date on")


class Until(models.TextChoices):
    OPEN = "open", _("Until I take it back")
    QUARTER = "quarter", _("For 3 months")
    YEAR = "year", _("For a year")
    DATE = "date", _("Until a date")


class SharingForm(forms.Form):
    """Every kind of data for itself; what is not ticked is not shared."""

    categories = forms.MultipleChoiceField(
        label=_("What the doctor may see"),
        help_text=_("What you do not tick stays hidden. You can change this at any time."),
        choices=[
            (_("About you"), choices(*ABOUT_YOU)),
            (_("Prescriptions"), choices(*PRESCRIBED)),
            (_("Documents"), choices(*DOCUMENTS)),
        ],
        required=False,
        widget=CheckGroups,
    )
    since = forms.ChoiceField(
        label=_("Which prescriptions and documents"),
        choices=Since.choices,
        initial=Since.ALL,
        widget=forms.RadioSelect,
    )
    data_from = forms.DateField(label=_("First day"), required=False, widget=DateInput)
    until = forms.ChoiceField(
        label=_("For how long"),
        choices=Until.choices,
        initial=Until.OPEN,
        widget=forms.RadioSelect,
    )
    ends_at = forms.DateField(label=_("Last day"), required=False, widget=DateInput)
    purpose = forms.ChoiceField(
        label=_("What for"), choices=Purpose.choices, initial=Purpose.TREATMENT
    )

    @staticmethod
    def initial_of(sharing: Sharing) -> dict[str, Any]:
        """A choice that was made before, to be made anew."""
        return {
            "categories": list(sharing.categories),
            "since": Since.DATE if sharing.data_from else Since.ALL,
            "data_from": sharing.data_from,
            "until": Until.DATE if sharing.ends_at else Until.OPEN,
            "ends_at": timezone.localdate(sharing.ends_at) if sharing.ends_at else None,
            "purpose": sharing.purpose,
        }

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("since") == Since.DATE and not data.get("data_from"):
            self._ask_for("data_from", _("Choose the first day."))
        if data.get("until") == Until.DATE and not data.get("ends_at"):
            self._ask_for("ends_at", _("Choose the last day."))
        return data

    def sharing(self) -> Sharing:
        """What was chosen. A last day counts to its end, by the patient's own clock."""
        data = self.cleaned_data
        if not data["categories"]:
            return NOTHING
        last_day = self._last_day()
        return Sharing(
            categories=tuple(data["categories"]),
            data_from=self._first_day(),
            ends_at=_end_of(last_day) if last_day else None,
            purpose=data["purpose"],
        )

    def _ask_for(self, field: str, sentence: Any) -> None:
        """One that is there but cannot be read has its own error."""
        if field not in self.errors:
            self.add_error(field, sentence)

    def _first_day(self) -> dt.date | None:
        chosen: dict[str, dt.date | None] = {
            Since.YEAR: clinic_date() - YEAR,
            Since.DATE: self.cleaned_data["data_from"],
        }
        return chosen.get(self.cleaned_data["since"])

    def _last_day(self) -> dt.date | None:
        today = timezone.localdate()
        chosen: dict[str, dt.date | None] = {
            Until.QUARTER: today + QUARTER,
            Until.YEAR: today + YEAR,
            Until.DATE: self.cleaned_data["ends_at"],
        }
        return chosen.get(self.cleaned_data["until"])


class GrantForm(SharingForm):
    """A choice to be made anew, in view of the grant that stands, or of none."""

    instead_of = forms.UUIDField(required=False, widget=forms.HiddenInput)

    @classmethod
    def initial_for(cls, grant: AccessGrant | None) -> dict[str, Any]:
        if grant is None:
            return {}
        return cls.initial_of(Sharing.of(grant)) | {"instead_of": grant.pk}


def _end_of(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time.max))
