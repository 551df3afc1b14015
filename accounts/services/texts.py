"""What people write in words of their own: reasons, notes, and the short texts of a proposal."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.models import DoctorProfile, User
from common.errors import InvalidInput
from common.lines import as_compared, is_plain_line, is_visible

TEXT_LENGTH = 2000


def required_text(text: str, *, attr: str) -> str:
    """What must be said, because it is kept or somebody will read it."""
    text = checked_text(text, attr=attr)
    if not text:
        raise InvalidInput(_("Please give the reason; it stays on record."), attr=attr)
    return text


def required_entry(text: str, *, attr: str, length: int) -> str:
    """A name or a number that stands in a column of that length."""
    if not is_visible(text):
        raise InvalidInput(_("This cannot be empty."), attr=attr)
    if not is_plain_line(text):
        raise InvalidInput(_("Write this on one line, without invisible characters."), attr=attr)
    return checked_text(text, attr=attr, length=length)


def checked_name(text: str, *, attr: str) -> str:
    """A first or last name, from whichever door it comes."""
    return required_entry(text, attr=attr, length=User.NAME_LENGTH)


def checked_licence_number(text: str) -> str:
    """As it can be compared with the paper: no two that look alike are two."""
    return required_entry(
        as_compared(text), attr="licence_number", length=DoctorProfile.LICENCE_LENGTH
    )


def checked_text(text: str, *, attr: str, length: int = TEXT_LENGTH) -> str:
    """Plain text without blanks around it; it may be empty, and is where nobody sees anything."""
    text = text.strip() if is_visible(text) else ""
    if len(text) > length or "\x00" in text:
        limit = number_format(length, force_grouping=True)
        raise InvalidInput(
            _("At most %(limit)s characters of plain text.") % {"limit": limit}, attr=attr
        )
    return text
