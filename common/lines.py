"""Names on one line, reading as they are written."""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Control characters, and what ends a line or a paragraph.
UNPRINTABLE = frozenset({"Cc", "Zl", "Zp"})
# What joins, marks or carries, and is not seen by itself.
INVISIBLE = frozenset({"Cc", "Cf", "Mn"})
# What Unicode counts among letters, accents or what is still free, and nobody sees all the same:
# what it calls default ignorable beside the format characters, and Braille without a dot.
UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
# Whichever blank of one line, and however many.
BLANKS = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
# They make what follows read in another order: a name could pass for another, or for our words.
# The plain marks U+200E and U+200F stay: Arabic beside Latin letters needs them.
REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_plain_line(text: str) -> bool:
    """One line, without characters that turn the reading order around."""
    return not any(
        character in REORDERING or unicodedata.category(character) in UNPRINTABLE
        for character in text
    )


def is_plain_text(text: str) -> bool:
    """The same, of any number of lines."""
    return all(is_plain_line(line) for line in text.replace("\r\n", "\n").split("\n"))


def is_visible(text: str) -> bool:
    """Whether there is something to read."""
    return any(
        not character.isspace()
        and not UNSEEN.match(character)
        and unicodedata.category(character) not in INVISIBLE
        for character in text
    )


def as_compared(text: str) -> str:
    """Without what nobody sees, and with one blank wherever there are any: what looks alike is
    alike."""
    seen = (one for one in UNSEEN.sub("", text) if unicodedata.category(one) != "Cf")
    return BLANKS.sub(" ", "".join(seen))


def joined(*parts: str) -> str:
    """In one line, without those that are empty; each isolated, so that none takes its place by
    the script of its neighbour."""
    return " · ".join(f"\u2068{part}\u2069" for part in parts if part)


def check_plain_line(text: str) -> None:
    """For fields of models and serializers."""
    if not is_plain_line(text):
        raise ValidationError(_("Write this on one line, without invisible characters."))
