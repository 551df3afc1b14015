"""Free text that somebody else will read: it reads as it was written."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from common.errors import InvalidInput
from common.lines import is_plain_line, is_plain_text


class NotReadable(InvalidInput):
    detail = _("Write this on one line, without invisible characters.")


class NotReadableText(InvalidInput):
    detail = _("Write this without invisible characters.")


def check_line(text: str, *, attr: str) -> None:
    """One line, in the order in which it was written."""
    if not is_plain_line(text):
        raise NotReadable(attr=attr)


def check_text(text: str, *, attr: str) -> None:
    """The same, of any number of lines."""
    if not is_plain_text(text):
        raise NotReadableText(attr=attr)
