"""The own account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import NameForm, PhoneField
from accounts.models import Language, User
from accounts.services import profiles

LANGUAGE_NAMES = [(Language.ENGLISH.value, "English"), (Language.ARABIC.value, "العربية")]


def time_zones() -> list[tuple[str, str]]:
    return [(name, name) for name in profiles.time_zones()]


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
