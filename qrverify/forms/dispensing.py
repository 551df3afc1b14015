"""What a pharmacist types: who they are, and what they hand out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.ids import uuid7
from prescriptions.models import PrescriptionItem
from prescriptions.services.claiming import Pharmacy
from prescriptions.services.dispensing import Line
from qrverify.services.dispensing import PASS_LENGTH, SECRET_TYPED_LENGTH


class PassForm(forms.Form):
    """The pass that the right PIN gave."""

    passed = forms.CharField(max_length=PASS_LENGTH, widget=forms.HiddenInput)


class ClaimForm(PassForm):
    """Who takes the prescription up. `new` makes a form that claims once, however often it is
    sent."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    pharmacy_name = forms.CharField(
        label=_("Pharmacy"),
        max_length=160,
        widget=forms.TextInput(attrs={"autocomplete": "organization", "dir": "auto"}),
    )
    pharmacist_name = forms.CharField(
        label=_("Your name"),
        max_length=160,
        widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"}),
    )
    licence_number = forms.CharField(
        label=_("Licence number"),
        max_length=40,
        help_text=_("It is shown as you state it; nobody checks it here."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    access_code = forms.CharField(
        label=_("Access code"),
        max_length=SECRET_TYPED_LENGTH,
        required=False,
        help_text=_("Only if your pharmacy is approved for controlled medicines."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )

    @classmethod
    def new(cls, passed: str) -> ClaimForm:
        return cls(initial={"passed": passed, "client_id": uuid7()})

    def pharmacy(self) -> Pharmacy:
        said = self.cleaned_data
        return Pharmacy(
            said["pharmacy_name"],
            said["pharmacist_name"],
            said["licence_number"],
            said["access_code"],
        )


class SecretForm(forms.Form):
    """The code of a claim, typed by who wrote it down."""

    claim = forms.CharField(
        label=_("Claim code"),
        max_length=SECRET_TYPED_LENGTH,
        help_text=_("The ten characters you were given, like 7K3M9-Q2TC4."),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "dir": "ltr",
            }
        ),
    )


class HeldForm(forms.Form):
    """The code of a claim, carried by the page of it."""

    claim = forms.CharField(max_length=SECRET_TYPED_LENGTH, widget=forms.HiddenInput)


class WithdrawForm(HeldForm):
    dispense_id = forms.UUIDField(widget=forms.HiddenInput)


class DispenseForm(HeldForm):
    """How much of each item. Beside what is typed it carries what was due when it was made, so
    that "everything that is due" means the same when it is sent again."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        items: Sequence[PrescriptionItem],
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.positions = [item.position for item in items]
        for item in items:
            self.fields[f"quantity-{item.position}"] = _quantity(item)
            self.fields[f"due-{item.position}"] = _quantity(item, widget=forms.HiddenInput)

    @classmethod
    def new(cls, secret: str, due: Mapping[PrescriptionItem, int]) -> DispenseForm:
        """One that dispenses once, however often it is sent."""
        initial: dict[str, Any] = {"claim": secret, "client_id": uuid7()}
        for item, quantity in due.items():
            initial[f"quantity-{item.position}"] = initial[f"due-{item.position}"] = quantity
        return cls(items=list(due), initial=initial)

    def clean(self) -> dict[str, Any]:
        if not self.errors and not self.lines():
            raise forms.ValidationError(_("Enter a quantity for at least one medicine."))
        return self.cleaned_data

    def lines(self) -> list[Line]:
        """As typed, or all that was due."""
        kind = "due" if "all" in self.data else "quantity"
        said = {position: self.cleaned_data[f"{kind}-{position}"] for position in self.positions}
        return [Line(position, quantity) for position, quantity in said.items() if quantity]

    def field_of(self, attr: str | None) -> str | None:
        """Where the service's fault at `lines.1.quantity` was typed."""
        parts = (attr or "").split(".")
        if parts[0] != "lines" or len(parts) < 2:
            return None
        return f"quantity-{self.lines()[int(parts[1])].position}"

    def quantities(self) -> Iterator[tuple[BoundField, BoundField]]:
        """Of each item the field that is typed into and the hidden one, in their order."""
        for position in self.positions:
            yield self[f"quantity-{position}"], self[f"due-{position}"]


def _quantity(item: PrescriptionItem, **options: Any) -> forms.IntegerField:
    options.setdefault("widget", forms.NumberInput(attrs={"inputmode": "numeric", "dir": "ltr"}))
    return forms.IntegerField(
        label=gettext("Quantity of %(medicine)s handed out") % {"medicine": item.medicine},
        min_value=0,
        max_value=PrescriptionItem.MAX_QUANTITY,
        required=False,
        **options,
    )
