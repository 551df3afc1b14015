"""What survives being read over the telephone: prescription numbers, and short secrets.

A number is eight random characters of Crockford's base 32 (no I, L, O or U) and a Luhn check
character over the same alphabet, in three groups: `7K3-M9Q-2TC`. A wrong or swapped neighbour
shows. A short secret is ten characters, 50 bits, in two halves: `7K3M9-Q2TC4`.
"""

from __future__ import annotations

import secrets

from stdnum import luhn

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_LENGTH = 8
SECRET_LENGTH = 10
SECRET_BITS = 5 * SECRET_LENGTH
AMBIGUOUS = str.maketrans("ILO", "110")


def new_number() -> str:
    """A fresh number; one of 2⁴⁰."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return format_number(body + luhn.calc_check_digit(body, alphabet=ALPHABET))


def format_number(plain: str) -> str:
    return "-".join((plain[:3], plain[3:6], plain[6:]))


def as_written(typed: str) -> str:
    """A number, or its beginning, in the one way it is written, whatever way it was typed."""
    return format_number(compact(typed)).rstrip("-")


def is_valid_number(number: str) -> bool:
    """Whether the check character fits; small letters and missing hyphens are forgiven."""
    plain = compact(number)
    return len(plain) == RANDOM_LENGTH + 1 and bool(luhn.is_valid(plain, alphabet=ALPHABET))


def short_secret(drawn: int) -> str:
    """The secret that the last 50 bits of a number spell."""
    characters = [ALPHABET[drawn >> 5 * place & 31] for place in range(SECRET_LENGTH)]
    return as_read_out("".join(characters))


def new_short_secret() -> str:
    """A fresh one: 50 random bits that can be typed and read out."""
    return short_secret(secrets.randbits(SECRET_BITS))


def as_read_out(secret: str) -> str:
    """A short secret in two halves, however it was typed."""
    secret, half = compact(secret), SECRET_LENGTH // 2
    return f"{secret[:half]}-{secret[half:]}"


def compact(typed: str) -> str:
    """As it was made, however it was typed."""
    return typed.upper().replace("-", "").replace(" ", "").translate(AMBIGUOUS)
