"""Shapes of what a doctor types into a prescription, and of how it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.errors import DomainError
from common.forms import DateInput
from common.ids import uuid7
from prescriptions.models import (
    FrequencyUnit,
    Prescription,
    PrescriptionItem,
    Route,
    StopReason,
)
from prescriptions.pdf import PAPERS
from prescriptions.services.checking import Override
from prescriptions.services.issuing import HowOftenMissing, Item, Order

ROWS = "items"


class IssueForm(forms.Form):
    """All of a prescription but its medicines."""

    diagnosis = forms.CharField(label=_("Diagnosis"), max_length=500, required=False)
    notes = forms.CharField(
        label=_("Notes for the patient"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    valid_until = forms.DateField(
        label=_("Valid until"),
        required=False,
        widget=DateInput,
        help_text=_("If left empty: 30 days, and as long again as its refills last."),
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    refill_request_id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    save_as = forms.CharField(label=_("Name of the template"), max_length=80, required=False)

    @classmethod
    def new(cls, **initial: Any) -> IssueForm:
        """A form that can issue one prescription, however often it is sent."""
        return cls(initial={"client_id": uuid7(), **initial})

    def order(self, items: Sequence[Item], overrides: Sequence[Override]) -> Order:
        """All of it, once it is valid."""
        said = ("diagnosis", "notes", "valid_until", "client_id")
        values = {name: self.cleaned_data[name] for name in said}
        return Order(items=items, overrides=overrides, **values)

    def unjudged(self) -> IssueForm:
        """The form as typed so far, without a word about what is missing."""
        return type(self)(initial=_typed(self))


class ItemForm(forms.Form):
    """One medicine."""

    medicine = forms.CharField(
        label=_("Medicine"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "data-medicine": True}),
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

    @classmethod
    def of(cls, items: Iterable[Item]) -> BaseItemFormSet:
        """Rows that say so already; one that is empty where there are none."""
        return ItemFormSet(initial=[asdict(item) for item in items], prefix=ROWS)

    def filled(self) -> list[ItemForm]:
        """The rows that name a medicine, in order; not those removed or left empty."""
        removed = self.deleted_forms
        return [form for form in self.forms if form.has_changed() and form not in removed]

    def items(self) -> list[Item]:
        """What they order, once they are valid."""
        return [form.item() for form in self.filled()]

    def number_of(self, position: int) -> int:
        """The row of the item at that position, from 1."""
        return self.forms.index(self.filled()[position - 1])

    def add_refusal(self, error: DomainError) -> bool:
        """Put a service's sentence beside the field it names, as `items.2.frequency` does of a
        row; tells whether it names one."""
        match (error.attr or "").split("."):
            case ["items", position, field]:
                self.filled()[int(position)].add_error(field, str(error.detail))
                return True
        return False

    def unjudged(self, *, without: str = "", added: int = 0) -> BaseItemFormSet:
        """The rows as typed so far, less the one of that number, with empty ones added."""
        typed = [_typed(form) for number, form in enumerate(self.forms) if str(number) != without]
        formset = ItemFormSet(initial=typed, prefix=ROWS)
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


class StopForm(forms.Form):
    """Why a prescription is stopped."""

    reason = forms.ChoiceField(label=_("Reason"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Note"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The patient reads it. Needed where none of the reasons fits."),
    )

    def __init__(self, *args: Any, reasons: Iterable[StopReason], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ChoiceField", self.fields["reason"])
        field.choices = [(reason.value, reason.label) for reason in reasons]


class FindForm(forms.Form):
    """What is looked for in a list of prescriptions."""

    q = forms.CharField(
        label=_("Number or patient"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", pgettext_lazy("prescriptions", "Any")), *Prescription.State.choices],
    )


class PrintForm(forms.Form):
    """The paper and the language of a printed prescription."""

    size = forms.ChoiceField(label=_("Paper"), choices=[(paper, paper) for paper in PAPERS])
    language = forms.ChoiceField(
        label=_("Language"), choices=[("en", "English"), ("ar", "العربية")]
    )


def _typed(form: forms.BaseForm) -> dict[str, Any]:
    return {name: form[name].value() for name in form.fields}
