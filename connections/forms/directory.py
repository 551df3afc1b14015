"""What to look for in the directory."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Governorate, SpokenLanguage
from accounts.services.directory import CITY_LENGTH, FEE, TEXT_LENGTH, Search
from specializations.models import Specialization


def _fee(label: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any"}),
        **FEE,
    )


class SearchForm(forms.Form):
    """What to look for. Valid, `wanted` has it; `search` is the text alone."""

    search = forms.CharField(
        label=_("Name, specialty or place"),
        required=False,
        max_length=TEXT_LENGTH,
        widget=forms.TextInput(
            attrs={"type": "search", "dir": "auto", "autocomplete": "off", "enterkeyhint": "search"}
        ),
    )
    specialization = forms.ModelChoiceField(
        label=_("Specialty"),
        queryset=Specialization.objects.all(),
        to_field_name="code",
        required=False,
        empty_label=_("Any"),
    )
    governorate = forms.ChoiceField(
        label=_("Governorate"), choices=[("", _("Any")), *Governorate.choices], required=False
    )
    city = forms.CharField(
        label=_("City"),
        required=False,
        max_length=CITY_LENGTH,
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )
    language = forms.ChoiceField(
        label=_("Speaks"), choices=[("", _("Any")), *SpokenLanguage.choices], required=False
    )
    min_fee = _fee(_("Fee from, in EGP"))
    max_fee = _fee(_("Fee up to, in EGP"))

    @property
    def filters(self) -> list[forms.BoundField]:
        """All but the text."""
        return [field for field in self.visible_fields() if field.name != "search"]

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter is set, or wrongly so."""
        return any(field.data or field.errors for field in self.filters)

    @property
    def wanted(self) -> Search:
        data = dict(self.cleaned_data)
        return Search(text=data.pop("search"), **data)
