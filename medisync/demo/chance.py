"""Chance that repeats: identifiers and secrets drawn from a seed.

For demonstration rows alone. Whoever knows the seed knows every value drawn here.
"""

from __future__ import annotations

import base64
import datetime as dt
from random import Random
from uuid import UUID

from django.utils import timezone
from stdnum import luhn

from prescriptions.numbers import ALPHABET, RANDOM_LENGTH, format_number

FRIDAY = 4
OPENS_AT, CLOSES_AT = 9, 17
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
NUMBER_MASK = (1 << 5 * RANDOM_LENGTH) - 1


def dice(*names: object) -> Random:
    """A stream of chance of its own for each sequence of names."""
    return Random(":".join(map(str, names)))  # noqa: S311 - it must repeat, not be secret


def uuid7_at(instant: dt.datetime, rng: Random) -> UUID:
    """The UUIDv7 a row made at that instant would have; it orders by the microsecond
    (RFC 9562, section 6.2, method 3)."""
    milliseconds, rest = divmod((instant - EPOCH) // MICROSECOND, 1000)
    fraction = rest * 4096 // 1000
    tail = rng.getrandbits(62)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | tail)


def secret(rng: Random) -> str:
    """Shaped like `common.crypto.new_secret`."""
    return base64.urlsafe_b64encode(rng.randbytes(32)).rstrip(b"=").decode()


def pin(rng: Random) -> str:
    """Six digits, as `prescriptions.services.codes` draws them."""
    return f"{rng.randrange(10**6):06d}"


def prescription_number(index: int) -> str:
    """A number of its own for each index below 2⁴⁰, with no order to be seen in it.

    Each step can be undone, so no two indexes meet; of numbers drawn at random, two in a
    million would.
    """
    mixed = index
    for shift, factor in ((23, 0x9E3779B97F), (19, 0xD6E8FEB867)):
        mixed = (mixed ^ mixed >> shift) * factor & NUMBER_MASK
    mixed ^= mixed >> 21
    body = "".join(ALPHABET[mixed >> 5 * place & 31] for place in range(RANDOM_LENGTH))
    return format_number(body + luhn.calc_check_digit(body, alphabet=ALPHABET))


def instant_between(rng: Random, after: dt.datetime, before: dt.datetime) -> dt.datetime:
    """Some instant of a half-open span."""
    return after + (before - after) * rng.random()


def working_instant(rng: Random, after: dt.datetime, before: dt.datetime) -> dt.datetime:
    """An instant of the span at which clinics are open, where the span has room for it."""
    drawn = instant_between(rng, after, before)
    local = drawn.astimezone(timezone.get_default_timezone())
    if local.weekday() == FRIDAY:
        local -= dt.timedelta(days=1)
    open_hour = local.replace(hour=rng.randrange(OPENS_AT, CLOSES_AT)).astimezone(dt.UTC)
    return open_hour if after <= open_hour < before else drawn


def shortly_after(rng: Random, instant: dt.datetime, *, minutes: float) -> dt.datetime:
    """A while later: so many minutes on average, at times much longer."""
    return instant + dt.timedelta(minutes=1 + rng.expovariate(1 / minutes))
