"""How forms look: the renderer that makes `{{ form }}` right everywhere, and our own widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils.functional import Promise


class Renderer(TemplatesSetting):
    """Renders every form, field and error list with the templates of the design system."""

    form_template_name = "_components/form.html"
    field_template_name = "_components/field.html"


class RadioCards(forms.RadioSelect):
    """One choice of a few, each a card with an icon and a sentence of its own."""

    template_name = "_components/widgets/radio_cards.html"

    def __init__(
        self,
        *,
        icons: Mapping[str, str] | None = None,
        hints: Mapping[str, str | Promise] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.icons = icons or {}
        self.hints = hints or {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        option["icon"] = self.icons.get(str(value), "")
        option["hint"] = self.hints.get(str(value), "")
        return option


class CheckGroups(forms.CheckboxSelectMultiple):
    """Check boxes in groups, each under a heading of its own: for choices that are grouped."""

    template_name = "_components/widgets/check_groups.html"


class OneTimeCodeInput(forms.TextInput):
    """Six digits from a mail; phones offer to fill them in."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        defaults = {
            "inputmode": "numeric",
            "autocomplete": "one-time-code",
            "maxlength": "6",
            "dir": "ltr",
        }
        super().__init__({**defaults, **(attrs or {})})


class DateInput(forms.DateInput):
    """The browser's own date picker, which speaks ISO dates only."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    """The browser's own clock, to the minute."""

    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%H:%M")


class MomentInput(forms.DateTimeInput):
    """A day and a time, to the minute, by the clock of whoever looks."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")
