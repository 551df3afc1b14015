"""Egyptian national identity numbers.

Fourteen digits: century (2 = 1900s, 3 = 2000s), birth date as YYMMDD, governorate (two
digits), a serial of four whose last digit is odd for men and even for women, and a check
digit whose algorithm the Civil Status Organization does not publish, so it is not tested.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

CENTURIES = {"2": 1900, "3": 2000}
# The governorates' codes; 88 stands for a birth abroad.
GOVERNORATES = frozenset(
    [
        "01",
        "02",
        "03",
        "04",
        "11",
        "12",
        "13",
        "14",
        "15",
        "16",
        "17",
        "18",
        "19",
        "21",
        "22",
        "23",
        "24",
        "25",
        "26",
        "27",
        "28",
        "29",
        "31",
        "32",
        "33",
        "34",
        "35",
        "88",
    ]
)
PATTERN = re.compile(r"[0-9]{14}")


class InvalidNationalId(ValueError):
    """Not a number that can have been issued."""


@dataclass(frozen=True, slots=True)
class NationalId:
    number: str
    birth_date: dt.date
    sex: str


def parse_national_id(number: str, *, today: dt.date) -> NationalId:
    """Read birth date and sex out of a number; raises `InvalidNationalId`."""
    if not PATTERN.fullmatch(number):
        raise InvalidNationalId("A national ID has 14 digits.")
    if number[0] not in CENTURIES or number[7:9] not in GOVERNORATES:
        raise InvalidNationalId("No such century or governorate.")
    try:
        birth_date = dt.date(
            CENTURIES[number[0]] + int(number[1:3]), int(number[3:5]), int(number[5:7])
        )
    except ValueError as error:
        raise InvalidNationalId("No such birth date.") from error
    if birth_date > today:
        raise InvalidNationalId("The birth date lies ahead.")
    return NationalId(number, birth_date, "MALE" if int(number[12]) % 2 else "FEMALE")
