"""What an Egyptian national ID says, and what it cannot say."""

from __future__ import annotations

import calendar
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.national_id import GOVERNORATES, InvalidNationalId, parse_national_id

TODAY = dt.date(2026, 11, 22)
birth_dates = st.dates(min_value=dt.date(1900, 1, 1), max_value=TODAY)
governorates = st.sampled_from(sorted(GOVERNORATES))
serials = st.integers(0, 9999)
check_digits = st.integers(0, 9)


def number_of(birth_date: dt.date, governorate: str, serial: int, check_digit: int) -> str:
    century = 2 if birth_date.year < 2000 else 3
    return f"{century}{birth_date:%y%m%d}{governorate}{serial:04d}{check_digit}"


@given(birth_dates, governorates, serials, check_digits)
def test_every_number_that_can_be_issued_is_read_back(
    birth_date: dt.date, governorate: str, serial: int, check_digit: int
) -> None:
    number = number_of(birth_date, governorate, serial, check_digit)

    read = parse_national_id(number, today=TODAY)

    assert read.number == number
    assert read.birth_date == birth_date
    assert read.sex == ("MALE" if serial % 2 else "FEMALE")


@given(st.text(max_size=20))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        read = parse_national_id(text, today=TODAY)
    except InvalidNationalId:
        return

    assert read.birth_date <= TODAY


@given(st.integers(0, 10**14 - 1))
def test_no_fourteen_digits_break_the_reader(digits: int) -> None:
    try:
        read = parse_national_id(f"{digits:014d}", today=TODAY)
    except InvalidNationalId:
        return

    assert dt.date(1900, 1, 1) <= read.birth_date <= TODAY


@given(birth_dates, st.integers(0, 99).map("{:02d}".format), serials, check_digits)
def test_unknown_governorate_is_refused(
    birth_date: dt.date, governorate: str, serial: int, check_digit: int
) -> None:
    number = number_of(birth_date, governorate, serial, check_digit)

    if governorate in GOVERNORATES:
        assert parse_national_id(number, today=TODAY)
    else:
        with pytest.raises(InvalidNationalId):
            parse_national_id(number, today=TODAY)


@given(st.dates(min_value=TODAY + dt.timedelta(days=1), max_value=dt.date(2099, 12, 31)))
def test_birth_date_ahead_is_refused(birth_date: dt.date) -> None:
    with pytest.raises(InvalidNationalId):
        parse_national_id(number_of(birth_date, "01", 12, 3), today=TODAY)


@given(st.integers(1900, 2025))
def test_29th_of_february_exists_in_leap_years_only(year: int) -> None:
    century = 2 if year < 2000 else 3
    number = f"{century}{year % 100:02d}02290100123"

    if calendar.isleap(year):
        assert parse_national_id(number, today=TODAY).birth_date == dt.date(year, 2, 29)
    else:
        with pytest.raises(InvalidNationalId):
            parse_national_id(number, today=TODAY)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "2900517010012",  # thirteen digits
        "290051701001234",  # fifteen
        "19005170100123",  # the eighteen hundreds
        "49005170100123",  # a century to come
        "29013170100123",  # month 13
        "29005320100123",  # day 32
        " 29005170100123",
        "29005170100123\n",
        "٢٩٠٠٥١٧٠١٠٠١٢٣",  # Arabic-Indic digits are for reading, not for keeping
        "２9005170100123",
    ],
)
def test_impossible_number_is_refused(number: str) -> None:
    with pytest.raises(InvalidNationalId):
        parse_national_id(number, today=TODAY)
