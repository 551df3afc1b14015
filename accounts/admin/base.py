"""What the admin pages of people share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.utils import timezone
from django.utils.formats import date_format, time_format


def moment(at: dt.datetime) -> str:
    """An instant as its reader's clock shows it."""
    local = timezone.localtime(at)
    return f"{date_format(local)} {time_format(local)}"


class ChosenFilter(admin.SimpleListFilter):
    """A filter that is never off: what nobody chose is its first choice."""

    def value(self) -> str:
        return super().value() or str(self.lookup_choices[0][0])

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Without the choice of no choice that every other filter begins with."""
        choices = iter(super().choices(changelist))
        next(choices)
        yield from choices
