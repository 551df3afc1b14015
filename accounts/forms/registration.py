"""Registering, step by step."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.application import LicenceDocumentForm, NationalIdDocumentForm, PracticeForm
from accounts.forms.fields import DigitsField, NameForm, PhoneField
from accounts.models import OPEN_ROLES, Role, Sex
from common.forms import DateInput, RadioCards


class RoleForm(forms.Form):
    role = forms.ChoiceField(
        label=_("I am"),
        choices=OPEN_ROLES,
        widget=RadioCards(
            icons={Role.PATIENT: "user-round", Role.DOCTOR: "stethoscope"},
            hints={
                Role.PATIENT: _("I receive prescriptions and follow my treatment."),
                Role.DOCTOR: _("I treat patients; my licence is checked first."),
            },
        ),
    )


class DetailsForm(NameForm):
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("We send a code there to make sure that it is yours."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        help_text=_("At least 10 characters. A short sentence is easy to remember."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class PatientProfileForm(forms.Form):
    phone = PhoneField()
    national_id = DigitsField(
        label=_("National ID"),
        required=False,
        max_length=14,
        help_text=_("Your birth date and sex are read from it."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "dir": "ltr", "autocomplete": "off"}),
    )
    birth_date = forms.DateField(
        label=_("Birth date"),
        required=False,
        help_text=_("Needed if you give no national ID."),
        widget=DateInput(attrs={"autocomplete": "bday"}),
    )
    sex = forms.ChoiceField(
        label=_("Sex"),
        required=False,
        choices=Sex.choices,
        help_text=_("Needed if you give no national ID."),
        widget=forms.RadioSelect,
    )


class DoctorProfileForm(PracticeForm, LicenceDocumentForm, NationalIdDocumentForm):
    phone = PhoneField()

    field_order = (
        "phone", "specialization_id", "licence_number", "licence_document",
        "national_id_document",
    )  # fmt: skip
