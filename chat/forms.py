"""What is typed around conversations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chat.models import Absence, CannedReply, Message
from chat.models.chats import MOST_SEQ
from common.forms import MomentInput
from common.ids import uuid7


class WrittenField(forms.CharField):
    """Words in several lines. Browsers send each line's end as two characters, which would count
    as two."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")


class SeqField(forms.IntegerField):
    """The number of an entry, or 0: before the first."""

    def __init__(self, *, min_value: int = 0, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=MOST_SEQ, **options)


class SendForm(forms.Form):
    """A message. `seen` is the newest that its sender had before their eyes; how long it may be
    the service says."""

    content = WrittenField(
        label=_("Your message"),
        required=False,
        widget=forms.Textarea(
            attrs={
                "rows": 1,
                "dir": "auto",
                "autocomplete": "off",
                # For composer.js, which counts as the service does: by characters.
                "data-longest": Message.MAX_LENGTH,
            }
        ),
    )
    prescription_id = forms.UUIDField(
        label=_("Mention a prescription"), required=False, widget=forms.Select
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    seen = SeqField(required=False, widget=forms.HiddenInput)

    @classmethod
    def new(cls, **initial: Any) -> SendForm:
        """A form that can send one message, however often it is sent."""
        return cls(initial={"client_id": uuid7(), **initial})

    def offer(self, prescriptions: Iterable[tuple[Any, str]]) -> None:
        """Those that can be mentioned."""
        choices = [("", _("None")), *prescriptions]
        self.fields["prescription_id"].widget.choices = choices


class ReadForm(forms.Form):
    """Up to where somebody has read."""

    seq = SeqField()


class ReplyForm(forms.Form):
    title = forms.CharField(
        label=_("Title"),
        max_length=CannedReply.TITLE_LENGTH,
        help_text=_("You find it by this. Patients do not see it."),
    )
    content = WrittenField(
        label=_("Text"),
        max_length=Message.MAX_LENGTH,
        help_text=_("It begins a message, which you can change before you send it."),
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
    )


class AbsenceForm(forms.Form):
    """By the clock of whoever fills it in."""

    starts_at = forms.DateTimeField(label=_("From"), widget=MomentInput)
    ends_at = forms.DateTimeField(label=_("Until"), widget=MomentInput)
    notice = WrittenField(
        label=_("What patients read"),
        max_length=Absence.NOTICE_LENGTH,
        required=False,
        help_text=_("For example who stands in for you. If left empty, they read the days alone."),
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
    )
