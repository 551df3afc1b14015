"""What people type about themselves."""

from __future__ import annotations

import unicodedata
import zoneinfo
from functools import cache
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from accounts.models import OPEN_ROLES, Language, Role, Sex, User
from accounts.services import profiles
from common.documents import IMAGE_TYPES, PDF_TYPE
from common.forms import DateInput, OneTimeCodeInput, RadioCards
from specializations.models import Specialization

LANGUAGE_NAMES = [(Language.ENGLISH.value, "English"), (Language.ARABIC.value, "العربية")]


class DigitsField(forms.CharField):
    """A number as people type it: Arabic digits count as digits, and spaces do not count."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return "".join(
            str(unicodedata.decimal(character, character))
            for character in text
            if not character.isspace()
        )


class PhoneField(PhoneNumberField):
    def __init__(self, **kwargs: Any) -> None:
        attrs = {"type": "tel", "autocomplete": "tel", "dir": "ltr"}
        super().__init__(label=_("Phone"), widget=forms.TextInput(attrs=attrs), **kwargs)


class DocumentField(forms.FileField):
    """A scan or photo; what it contains is judged by the service."""

    def __init__(self, **kwargs: Any) -> None:
        accept = ",".join([PDF_TYPE, *IMAGE_TYPES.values()])
        super().__init__(
            widget=forms.FileInput(attrs={"accept": accept}),
            help_text=format_lazy(
                _("A PDF or a photo, up to {size} MB."),
                size=settings.DOCUMENT_MAX_BYTES // (1024 * 1024),
            ),
            **kwargs,
        )


class LoginForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


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


class NameForm(forms.Form):
    first_name = forms.CharField(
        label=_("First name"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        label=_("Last name"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
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


class CodeForm(forms.Form):
    otp = DigitsField(label=_("Code"), min_length=6, max_length=6, widget=OneTimeCodeInput)


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


class DoctorProfileForm(forms.Form):
    phone = PhoneField()
    specialization_id = forms.ModelChoiceField(
        label=_("Specialization"),
        queryset=Specialization.objects.none(),
        empty_label=_("Choose…"),
    )
    licence_number = forms.CharField(
        label=_("Licence number"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    licence_document = DocumentField(label=_("Licence document"))
    national_id_document = DocumentField(label=_("National ID document"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = "name_ar" if get_language() == "ar" else "name_en"
        self.fields["specialization_id"].queryset = (  # type: ignore[attr-defined]
            Specialization.objects.offered().order_by(name)
        )

    def clean_specialization_id(self) -> UUID:
        return cast("Specialization", self.cleaned_data["specialization_id"]).pk


@cache
def time_zones() -> list[tuple[str, str]]:
    """The zones people live in, by the names of the IANA database."""
    return [(name, name) for name in sorted(zoneinfo.available_timezones()) if "/" in name]


class AccountForm(NameForm):
    phone = PhoneField()
    language = forms.ChoiceField(
        label=_("Language"), choices=LANGUAGE_NAMES, help_text=_("Of the pages and of our e-mails.")
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Administrators register without one.
        self.fields["phone"].required = not user.is_admin
        for name in profiles.REVIEWED if user.is_doctor else ():
            self.fields[name].disabled = True
            self.fields[name].help_text = _("As on your licence. Write to us to change it.")


class LanguageForm(forms.Form):
    language = forms.ChoiceField(choices=LANGUAGE_NAMES)
