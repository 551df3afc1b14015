"""Correcting an application: one form for each step that it may come back for."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import DocumentField, NameForm
from accounts.models import CorrectionStep, DoctorProfile
from specializations.models import Specialization


class PracticeForm(forms.Form):
    specialization_id = forms.ModelChoiceField(
        label=_("Specialization"),
        queryset=Specialization.objects.none(),
        empty_label=_("Choose…"),
    )
    licence_number = forms.CharField(
        label=_("Licence number"),
        max_length=DoctorProfile.LICENCE_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = "name_ar" if get_language() == "ar" else "name_en"
        self.fields["specialization_id"].queryset = (  # type: ignore[attr-defined]
            Specialization.objects.offered().order_by(name)
        )

    def clean_specialization_id(self) -> UUID:
        return cast("Specialization", self.cleaned_data["specialization_id"]).pk


class LicenceDocumentForm(forms.Form):
    licence_document = DocumentField(label=_("Licence document"))


class NationalIdDocumentForm(forms.Form):
    national_id_document = DocumentField(label=_("National ID document"))


CORRECTION_FORMS: dict[str, type[forms.Form]] = {
    CorrectionStep.NAME: NameForm,
    CorrectionStep.PRACTICE: PracticeForm,
    CorrectionStep.LICENCE_DOCUMENT: LicenceDocumentForm,
    CorrectionStep.NATIONAL_ID_DOCUMENT: NationalIdDocumentForm,
}
