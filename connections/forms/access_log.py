"""Forms around the access log."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import AccessCase, AccessEvent
from common.forms import DateInput
from connections.models import DataCategory
from connections.services.access_log import By, Wanted

EVERYTHING = [("", _("Everything"))]


class WantedForm(forms.Form):
    """What of the log to show. Valid, `wanted` has it."""

    by = forms.ChoiceField(choices=By.choices, required=False, widget=forms.HiddenInput)
    actor_id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    action = forms.ChoiceField(
        choices=[("", ""), *AccessEvent.Action.choices], required=False, widget=forms.HiddenInput
    )
    category = forms.ChoiceField(
        label=_("Data"), choices=[*EVERYTHING, *DataCategory.choices], required=False
    )
    since = forms.DateField(label=_("From"), required=False, widget=DateInput)
    until = forms.DateField(label=_("To"), required=False, widget=DateInput)

    @property
    def wanted(self) -> Wanted:
        data = self.cleaned_data
        since, until = data["since"], data["until"]
        return Wanted(
            by=data["by"] or By.OTHERS,
            actor_id=data["actor_id"],
            category=data["category"],
            action=data["action"],
            since=_midnight(since) if since else None,
            until=_midnight_after(until) if until else None,
        )


class QuestionForm(forms.Form):
    question = forms.CharField(
        label=_("What do you want to know?"),
        help_text=_("For example: why was this opened on a day on which I had no appointment?"),
        max_length=AccessCase.QUESTION_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
    )


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=_("Answer to the patient"),
        max_length=AccessCase.ANSWER_LENGTH,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
    )


def _midnight(day: dt.date) -> dt.datetime:
    """When a day begins, where its reader is."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


def _midnight_after(day: dt.date) -> dt.datetime | None:
    """When it ends; the calendar's last day never does."""
    return None if day == dt.date.max else _midnight(day + dt.timedelta(days=1))
