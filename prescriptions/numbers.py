"""Prescription numbers that survive being read over the telephone.

Eight random characters of Crockford's base 32 (no I, L, O or U) and a Luhn check character
over the same alphabet, in three groups: `7K3-M9Q-2TC`. A wrong or swapped neighbour shows.
"""

from __future__ import annotations

import secrets

from stdnum import luhn

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_LENGTH = 8
AMBIGUOUS = str.maketrans("ILO", "110")


def new_number() -> str:
    """A fresh number; one of 2⁴⁰."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return format_number(body + luhn.calc_check_digit(body, alphabet=ALPHABET))


def format_number(compact: str) -> str:
    return "-".join((compact[:3], compact[3:6], compact[6:]))


def as_written(typed: str) -> str:
    """A number, or its beginning, in the one way it is written, whatever way it was typed."""
    return format_number(_compact(typed)).rstrip("-")


def is_valid_number(number: str) -> bool:
    """Whether the check character fits; small letters and missing hyphens are forgiven."""
    compact = _compact(number)
    return len(compact) == RANDOM_LENGTH + 1 and bool(luhn.is_valid(compact, alphabet=ALPHABET))


def _compact(typed: str) -> str:
    return typed.upper().replace("-", "").replace(" ", "").translate(AMBIGUOUS)
