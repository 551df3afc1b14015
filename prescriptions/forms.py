"""Shapes of what a doctor types into a prescription, and of how it is printed."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from common.clock import clinic_date
from common.forms import DateInput
from common.ids import uuid7
from prescriptions.models import FrequencyUnit, Prescription, PrescriptionItem, Route
from prescriptions.pdf import PAPERS
from prescriptions.services import HowOftenMissing, Item


class IssueForm(forms.Form):
    """All of a prescription but its medicines."""

    diagnosis = forms.CharField(label=_("Diagnosis"), max_length=500, required=False)
    notes = forms.CharField(
        label=_("Notes for the patient"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    valid_until = forms.DateField(label=_("Valid until"), widget=DateInput)
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    @classmethod
    def new(cls) -> IssueForm:
        """An empty form, which can issue one prescription however often it is sent."""
        last_day = clinic_date() + dt.timedelta(days=Prescription.VALID_DAYS)
        return cls(initial={"valid_until": last_day, "client_id": uuid7()})

    def unjudged(self) -> IssueForm:
        """The form as typed so far, without a word about what is missing."""
        return type(self)(initial=_typed(self))


class ItemForm(forms.Form):
    """One medicine."""

    medicine = forms.CharField(
        label=_("Medicine"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    strength = forms.CharField(
        label=_("Strength"),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    route = forms.ChoiceField(label=_("Route"), choices=Route.choices, initial=Route.ORAL)
    frequency = forms.IntegerField(
        label=_("Times"),
        min_value=1,
        max_value=24,
        error_messages={"required": HowOftenMissing.detail},
    )
    frequency_unit = forms.ChoiceField(
        label=_("Per"), choices=FrequencyUnit.choices, initial=FrequencyUnit.DAY
    )
    as_needed = forms.BooleanField(label=_("As needed"), required=False)
    duration_days = forms.IntegerField(
        label=_("For days"),
        min_value=1,
        max_value=PrescriptionItem.MAX_DURATION_DAYS,
        required=False,
    )
    quantity = forms.IntegerField(
        label=_("Quantity"), min_value=1, max_value=PrescriptionItem.MAX_QUANTITY
    )
    refills = forms.IntegerField(
        label=_("Refills"),
        min_value=0,
        max_value=PrescriptionItem.MAX_REFILLS,
        initial=0,
    )
    instructions = forms.CharField(label=_("Instructions"), max_length=500, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """A frequency may be absent only from what is taken as needed."""
        super().__init__(*args, **kwargs)
        self.fields["frequency"].required = not self["as_needed"].value()

    def item(self) -> Item:
        return Item(**{name: self.cleaned_data[name] for name in ItemForm.base_fields})


class BaseItemFormSet(forms.BaseFormSet[ItemForm]):
    default_error_messages: ClassVar[dict[str, Any]] = {
        **forms.BaseFormSet.default_error_messages,
        "too_few_forms": _("Add at least one medicine."),
        "too_many_forms": _("A prescription holds at most %(num)d medicines."),
    }

    def filled(self) -> list[ItemForm]:
        """The rows that name a medicine, in order; not those removed or left empty."""
        removed = self.deleted_forms
        return [form for form in self.forms if form.has_changed() and form not in removed]

    def unjudged(self, *, without: str = "", added: int = 0) -> BaseItemFormSet:
        """The rows as typed so far, less the one of that number, with empty ones added."""
        typed = [_typed(form) for number, form in enumerate(self.forms) if str(number) != without]
        formset = ItemFormSet(initial=typed, prefix=self.prefix)
        formset.extra = added
        return formset


ItemFormSet: type[BaseItemFormSet] = forms.formset_factory(
    ItemForm,
    formset=BaseItemFormSet,
    extra=0,
    can_delete=True,
    min_num=1,
    validate_min=True,
    max_num=Prescription.MAX_ITEMS,
    validate_max=True,
    # Rows that were removed on the page are still sent.
    absolute_max=4 * Prescription.MAX_ITEMS,
)  # type: ignore[assignment]


class PrintForm(forms.Form):
    """The paper and the language of a printed prescription."""

    size = forms.ChoiceField(label=_("Paper"), choices=[(paper, paper) for paper in PAPERS])
    language = forms.ChoiceField(
        label=_("Language"), choices=[("en", "English"), ("ar", "العربية")]
    )


def _typed(form: forms.BaseForm) -> dict[str, Any]:
    return {name: form[name].value() for name in form.fields}
