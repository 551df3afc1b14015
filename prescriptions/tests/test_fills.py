"""How much of an item may be handed out, and when."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prescriptions.fills import Fill, course_end, fill_of
from prescriptions.models import MedicationDispense, PrescriptionItem

DAY = dt.date(2026, 3, 1)


def item(quantity: int = 30, refills: int = 0, duration_days: int | None = 30) -> PrescriptionItem:
    return PrescriptionItem(quantity=quantity, refills=refills, duration_days=duration_days)


def given_on(day: int, quantity: int, *, withdrawn: bool = False) -> MedicationDispense:
    """Handed out so many days after the first of March, at noon in the clinic."""
    at = dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC) + dt.timedelta(days=day)
    return MedicationDispense(
        quantity=quantity, dispensed_at=at, withdrawn_at=at if withdrawn else None
    )


def test_at_first_one_fill_may_be_handed_out() -> None:
    fill = fill_of(item(30, refills=2), [])

    assert fill == Fill(number=0, left=30, left_in_all=90, opens_on=None)
    assert fill.available(DAY) == 30


def test_rest_of_a_fill_may_be_handed_out_at_once() -> None:
    fill = fill_of(item(30, refills=2), [given_on(0, 10)])

    assert (fill.number, fill.available(DAY)) == (0, 20)


def test_refill_opens_when_three_quarters_of_the_days_have_passed() -> None:
    fill = fill_of(item(30, refills=1, duration_days=30), [given_on(0, 30)])

    assert fill.opens_on == DAY + dt.timedelta(days=23)
    assert fill.available(DAY + dt.timedelta(days=22)) == 0
    assert fill.available(DAY + dt.timedelta(days=23)) == 30


def test_refill_counts_from_when_the_fill_was_begun() -> None:
    """Half of it fetched ten days later does not make the whole last ten days longer."""
    fill = fill_of(item(30, refills=1, duration_days=30), [given_on(0, 15), given_on(10, 15)])

    assert fill.opens_on == DAY + dt.timedelta(days=23)


def test_each_refill_counts_from_the_fill_before_it() -> None:
    handed = [given_on(0, 30), given_on(23, 20), given_on(25, 10)]

    fill = fill_of(item(30, refills=2, duration_days=30), handed)

    assert (fill.number, fill.opens_on) == (2, DAY + dt.timedelta(days=23 + 23))


@pytest.mark.parametrize("handed", [[(0, 30), (23, 20), (25, 10)], [(25, 10), (23, 20), (0, 30)]])
def test_order_of_the_rows_means_nothing(handed: list[tuple[int, int]]) -> None:
    fill = fill_of(item(30, refills=2), [given_on(*one) for one in handed])

    assert fill.opens_on == DAY + dt.timedelta(days=23 + 23)


def test_refill_of_what_has_no_end_opens_the_next_day() -> None:
    fill = fill_of(item(30, refills=1, duration_days=None), [given_on(0, 30)])

    assert fill.opens_on == DAY + dt.timedelta(days=1)


def test_withdrawn_dispense_does_not_count() -> None:
    fill = fill_of(item(30), [given_on(0, 30, withdrawn=True), given_on(0, 12)])

    assert (fill.left, fill.left_in_all, fill.is_done) == (18, 18, False)


def test_nothing_is_left_after_the_last_refill() -> None:
    fill = fill_of(item(30, refills=1), [given_on(0, 30), given_on(23, 30)])

    assert fill == Fill(number=1, left=0, left_in_all=0, opens_on=None)
    assert fill.is_done
    assert fill.available(DAY + dt.timedelta(days=365)) == 0


def test_what_is_fetched_early_is_taken_after_what_was_there() -> None:
    """Thirteen fills of 30 days, each fetched a week early, last 390 days."""
    handed = [given_on(23 * number, 30) for number in range(13)]

    end = course_end(item(30, refills=12), handed, issued_on=DAY)

    assert end == DAY + dt.timedelta(days=390)


def test_what_is_fetched_late_is_taken_from_then_on() -> None:
    handed = [given_on(0, 30), given_on(40, 10), given_on(45, 20)]

    assert course_end(item(30, refills=1), handed, issued_on=DAY) == DAY + dt.timedelta(days=70)


@given(
    quantity=st.integers(1, 20),
    refills=st.integers(0, 3),
    days=st.none() | st.integers(1, 60),
    wishes=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 25), st.booleans()), max_size=30),
)
def test_whoever_hands_out_what_is_available_never_exceeds_the_order(
    quantity: int, refills: int, days: int | None, wishes: list[tuple[int, int, bool]]
) -> None:
    ordered, day, handed = item(quantity, refills, days), 0, []
    for later, wish, is_withdrawn in wishes:
        day += later
        fill = fill_of(ordered, handed)
        assert 0 <= fill.left <= quantity
        assert 0 <= fill.number <= refills
        assert fill.left <= fill.left_in_all
        if wish <= fill.available(DAY + dt.timedelta(days=day)):
            handed.append(given_on(day, wish, withdrawn=is_withdrawn))

    counted = sum(one.quantity for one in handed if one.withdrawn_at is None)
    assert counted + fill_of(ordered, handed).left_in_all == ordered.total_quantity
    assert counted <= ordered.total_quantity
