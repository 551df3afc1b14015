"""Why a prescriber goes past a warning of the safety check."""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from prescriptions.safety import OverrideReason, SafetyWarning
from prescriptions.services.checking import REASON_LENGTH, Override

# The keys of the warnings that were asked about, and the names that were said not to be checked.
ASKED = "override"
SEEN = "not_checked"
MOST_ASKED = 200


class OverrideForm(forms.Form):
    """The reason for one warning."""

    # The page can also be sent to change the order instead, with no reason given.
    use_required_attribute = False

    reason = forms.ChoiceField(
        label=_("Prescribe it all the same, because"),
        choices=[("", _("Choose a reason")), *OverrideReason.choices],
    )
    text = forms.CharField(label=_("In your words"), max_length=200, required=False)

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        is_other = self.cleaned_data.get("reason") == OverrideReason.OTHER
        if is_other and len(text) < REASON_LENGTH[0]:
            raise forms.ValidationError(_("Say what the reason is."))
        return text

    def override(self, key: str) -> Override:
        said = self.cleaned_data
        return Override(key, said["text"], OverrideReason(said["reason"]))


def override_form(
    key: str, data: QueryDict | None = None, *, answered: SafetyWarning | None = None
) -> OverrideForm:
    """The form of one warning; `answered` is the same one, as it was answered before."""
    initial = {"reason": answered.reason_code, "text": answered.reason} if answered else {}
    return OverrideForm(data, prefix=f"{ASKED}-{key}", initial=initial)


def given_overrides(data: QueryDict) -> list[Override]:
    """The warnings that a reason was given for."""
    keys = data.getlist(ASKED)[:MOST_ASKED]
    forms_by_key = {key: override_form(key, data) for key in keys}
    return [form.override(key) for key, form in forms_by_key.items() if form.is_valid()]


def kept_answers(data: QueryDict) -> list[tuple[str, str]]:
    """What was said about warnings so far, to be sent along by a page that does not show them."""
    return [
        (name, value)
        for name in data
        if name.startswith((ASKED, SEEN))
        for value in data.getlist(name)
    ]
