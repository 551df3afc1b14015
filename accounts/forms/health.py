"""What patients and doctors tell about themselves. The models say what fits each field; what
comes out of a form goes through the services."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import PhoneField
from accounts.models import (
    AllergyIntolerance,
    Condition,
    DoctorProfile,
    EmergencyContact,
    MedicationStatement,
    PatientProfile,
    SpokenLanguage,
)
from accounts.services.health import PROFILE_FIELDS
from accounts.services.profiles import PRACTICE

SINCE_HINT = _("A year, a month or a day: 2015, 2015-03 or 2015-03-20.")
SINCE = forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off", "inputmode": "numeric"})


class FactsForm(forms.ModelForm[PatientProfile]):
    class Meta:
        model = PatientProfile
        fields = PROFILE_FIELDS
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "address": forms.TextInput(attrs={"autocomplete": "street-address"}),
            "city": forms.TextInput(attrs={"autocomplete": "address-level2"}),
        }


class PracticeDetailsForm(forms.ModelForm[DoctorProfile]):
    languages = forms.MultipleChoiceField(
        label=_("Languages you speak with patients"),
        choices=SpokenLanguage.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = DoctorProfile
        fields = PRACTICE
        widgets: ClassVar[dict[str, forms.Widget]] = {"bio": forms.Textarea(attrs={"rows": 5})}


class AllergyForm(forms.ModelForm[AllergyIntolerance]):
    class Meta:
        model = AllergyIntolerance
        fields = ("substance", "criticality", "reaction", "note")
        help_texts: ClassVar[dict[str, Any]] = {
            "substance": _("A medicine, a food, or anything else, such as penicillin or peanuts.")
        }


class ConditionForm(forms.ModelForm[Condition]):
    class Meta:
        model = Condition
        fields = ("name", "since", "note")
        widgets: ClassVar[dict[str, forms.Widget]] = {"since": SINCE}
        help_texts: ClassVar[dict[str, Any]] = {"since": SINCE_HINT}


class MedicationForm(forms.ModelForm[MedicationStatement]):
    class Meta:
        model = MedicationStatement
        fields = ("name", "dosage", "since")
        widgets: ClassVar[dict[str, forms.Widget]] = {"since": SINCE}
        help_texts: ClassVar[dict[str, Any]] = {
            "dosage": _("Such as: one tablet after breakfast."),
            "since": SINCE_HINT,
        }


class EmergencyContactForm(forms.ModelForm[EmergencyContact]):
    phone = PhoneField()

    class Meta:
        model = EmergencyContact
        fields = ("name", "relationship", "phone", "email")
        help_texts: ClassVar[dict[str, Any]] = {
            "relationship": _("Such as: sister, husband."),
            "email": _(
                "If you give it, we write to them when somebody opens your emergency card. Ask "
                "them first."
            ),
        }
