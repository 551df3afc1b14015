"""Figures on paper are said in words as well."""

import pytest

from common.languages import Language
from prescriptions.models import PrescriptionItem
from prescriptions.pdf.numerals import in_words


@pytest.mark.parametrize(
    ("number", "english", "arabic"),
    [
        (0, "none", "بدون"),
        (1, "one", "واحد"),
        (2, "two", "اثنان"),
        (10, "ten", "عشرة"),
        (11, "eleven", "أحد عشر"),
        (12, "twelve", "اثنا عشر"),
        (19, "nineteen", "تسعة عشر"),
        (20, "twenty", "عشرون"),
        (21, "twenty-one", "واحد وعشرون"),
        (99, "ninety-nine", "تسعة وتسعون"),
        (100, "one hundred", "مئة"),
        (101, "one hundred and one", "مئة وواحد"),
        (200, "two hundred", "مئتان"),
        (312, "three hundred and twelve", "ثلاثمئة واثنا عشر"),
        (877, "eight hundred and seventy-seven", "ثمانمئة وسبعة وسبعون"),
        (1000, "one thousand", "ألف"),
    ],
)
def test_a_number_is_said_in_both_languages(number: int, english: str, arabic: str) -> None:
    assert in_words(number, "en") == english
    assert in_words(number, "ar") == arabic


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_quantity_has_words_of_its_own(language: Language) -> None:
    most = PrescriptionItem.MAX_QUANTITY
    assert len({in_words(number, language) for number in range(most + 1)}) == most + 1
