"""What one version says otherwise than another."""

from __future__ import annotations

from dataclasses import replace

from prescriptions.differences import changes_of_items, changes_of_text
from prescriptions.services.issuing import Item
from prescriptions.tests.factories import AMLODIPINE, PARACETAMOL


def fates(before: list[Item], after: list[Item]) -> list[tuple[str, str]]:
    return [(each.fate.value, each.medicine) for each in changes_of_items(before, after, "en")]


def test_what_stays_is_kept_in_whatever_order() -> None:
    assert fates([AMLODIPINE, PARACETAMOL], [PARACETAMOL, AMLODIPINE]) == [
        ("KEPT", "Paracetamol 500 mg"),
        ("KEPT", "Amlodipine 5 mg"),
    ]


def test_what_is_new_is_added_and_what_is_gone_removed() -> None:
    assert fates([AMLODIPINE], [PARACETAMOL]) == [
        ("ADDED", "Paracetamol 500 mg"),
        ("REMOVED", "Amlodipine 5 mg"),
    ]


def test_change_says_what_was_and_what_is() -> None:
    after = replace(AMLODIPINE, frequency=2, quantity=60)

    (item,) = changes_of_items([AMLODIPINE], [after], "en")

    assert [(str(change.label), change.before, change.after) for change in item.changes] == [
        (
            "How to take it",
            "Take by mouth once a day for 30 days",
            "Take by mouth 2 times a day for 30 days",
        ),
        ("Quantity", "30", "60"),
    ]


def test_another_strength_is_the_same_medicine_changed() -> None:
    assert fates([AMLODIPINE], [replace(AMLODIPINE, strength="10 mg")]) == [
        ("CHANGED", "Amlodipine 10 mg")
    ]


def test_of_two_strengths_each_continues_its_own() -> None:
    stronger = replace(AMLODIPINE, strength="10 mg")

    assert fates([AMLODIPINE, stronger], [replace(stronger, quantity=1), AMLODIPINE]) == [
        ("CHANGED", "Amlodipine 10 mg"),
        ("KEPT", "Amlodipine 5 mg"),
    ]


def test_same_medicine_twice_is_paired_once_each() -> None:
    assert fates([AMLODIPINE], [AMLODIPINE, AMLODIPINE]) == [
        ("KEPT", "Amlodipine 5 mg"),
        ("ADDED", "Amlodipine 5 mg"),
    ]


def test_case_of_a_name_is_a_change_and_not_another_medicine() -> None:
    assert fates([AMLODIPINE], [replace(AMLODIPINE, medicine="AMLODIPINE")]) == [
        ("CHANGED", "AMLODIPINE 5 mg")
    ]


def test_texts_that_are_the_same_are_left_out() -> None:
    assert changes_of_text([("Notes", "a", "a")]) == []
    assert changes_of_text([("Notes", "", "a")])[0].after == "a"
