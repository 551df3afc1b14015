"""What administrators decide about applications, and about changes that take two of them."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import NameForm
from accounts.models import AccountChange, Check, CorrectionStep, DoctorProfile, RejectReason, Role
from accounts.services.texts import TEXT_LENGTH
from common.forms import DateInput


def note_field(label: object, *, required: bool = True, hint: object = "") -> forms.CharField:
    return forms.CharField(
        label=label,  # type: ignore[arg-type]
        help_text=hint,  # type: ignore[arg-type]
        required=required,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )


class ApproveForm(forms.Form):
    checks = forms.MultipleChoiceField(
        label=_("Compared, and right"),
        choices=Check.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    licence_expiry_date = forms.DateField(
        label=_("Licence valid until"), help_text=_("As on the licence."), widget=DateInput
    )
    note = note_field(_("Note"), required=False, hint=_("The doctor can read it."))


class ReturnForm(forms.Form):
    step = forms.ChoiceField(
        label=_("What is to be corrected"), choices=CorrectionStep.choices, widget=forms.RadioSelect
    )
    note = note_field(_("What is wrong with it"))


class RejectForm(forms.Form):
    reason_code = forms.ChoiceField(
        label=_("Reason"), choices=RejectReason.choices, widget=forms.RadioSelect
    )
    note = note_field(_("Note"), required=False)


class RoleChangeForm(forms.Form):
    role = forms.ChoiceField(label=_("New role"), choices=Role.choices)
    reason = note_field(_("Why"))


class LicenceChangeForm(forms.Form):
    licence_number = forms.CharField(
        label=_("Licence number"),
        max_length=DoctorProfile.LICENCE_LENGTH,
        widget=forms.TextInput(attrs={"dir": "ltr"}),
    )
    licence_expiry_date = forms.DateField(label=_("Licence valid until"), widget=DateInput)
    reason = note_field(_("Why"))


class NameChangeForm(NameForm):
    reason = note_field(_("Why"))


class ApproveChangeForm(forms.Form):
    note = note_field(_("Note"), required=False)


class RefuseChangeForm(forms.Form):
    note = note_field(_("Why not"))


CHANGE_FORMS: dict[str, type[forms.Form]] = {
    AccountChange.Kind.ROLE: RoleChangeForm,
    AccountChange.Kind.LICENCE: LicenceChangeForm,
    AccountChange.Kind.NAME: NameChangeForm,
}
