"""Shape of a template, but for its medicines."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class TemplateForm(forms.Form):
    name = forms.CharField(label=_("Name of the template"), max_length=80)
    diagnosis = forms.CharField(label=_("Diagnosis"), max_length=500, required=False)
    notes = forms.CharField(
        label=_("Notes for the patient"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def unjudged(self) -> TemplateForm:
        """The form as typed so far, without a word about what is missing."""
        return type(self)(initial={name: self[name].value() for name in self.fields})
