"""Prescription numbers survive the telephone."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum import luhn

from prescriptions.numbers import ALPHABET, format_number, is_valid_number, new_number

bodies = st.text(ALPHABET, min_size=8, max_size=8)


def number_of(body: str) -> str:
    return format_number(body + luhn.calc_check_digit(body, alphabet=ALPHABET))


@given(bodies)
def test_every_number_is_valid(body: str) -> None:
    assert is_valid_number(number_of(body))


@given(bodies, st.integers(0, 8), st.sampled_from(ALPHABET))
def test_one_wrong_character_shows(body: str, place: int, other: str) -> None:
    compact = number_of(body).replace("-", "")
    assume(compact[place] != other)

    assert not is_valid_number(compact[:place] + other + compact[place + 1 :])


@given(bodies, st.integers(0, 7))
def test_swapped_neighbours_show(body: str, place: int) -> None:
    compact = number_of(body).replace("-", "")
    left, right = compact[place], compact[place + 1]
    # Luhn's known blind spot is the first and the last character of the alphabet.
    assume(left != right and {left, right} != {ALPHABET[0], ALPHABET[-1]})

    assert not is_valid_number(compact[:place] + right + left + compact[place + 2 :])


@given(bodies)
def test_small_letters_and_missing_hyphens_are_forgiven(body: str) -> None:
    assert is_valid_number(number_of(body).lower().replace("-", " "))
    assert is_valid_number(number_of(body).replace("-", ""))


@given(bodies)
def test_letters_that_look_like_digits_are_forgiven(body: str) -> None:
    misread = number_of(body).replace("1", "I").replace("0", "O")

    assert is_valid_number(misread)


@given(st.text(max_size=15))
def test_no_text_breaks_the_check(text: str) -> None:
    assert is_valid_number(text) in {True, False}


def test_new_numbers_are_valid_and_differ() -> None:
    numbers = {new_number() for _ in range(200)}

    assert len(numbers) == 200
    assert all(is_valid_number(number) and len(number) == 11 for number in numbers)
