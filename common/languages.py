"""The languages that are spoken here."""

from __future__ import annotations

from typing import Literal, TypeAlias

from django.utils.translation import get_language

Language: TypeAlias = Literal["en", "ar"]


def spoken() -> Language:
    """The language of the answer that is being made."""
    return "ar" if get_language() == "ar" else "en"
