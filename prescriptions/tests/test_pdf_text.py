"""Whatever somebody typed is printed as they meant it, and does nothing."""

from dataclasses import replace

import pytest

from common.languages import Language
from prescriptions.tests.pdf_reading import AMOXICILLIN, DOCUMENT, texts


@pytest.mark.parametrize(
    "hostile",
    [
        "#panic()",
        "#sys.inputs.document",
        '#read("/etc/passwd")',
        "$x$ *bold* _it_ `raw`",
        "\\ \\u{41} // gone /* gone */",
        "<script>alert(1)</script>",
        "= Heading @ref <label> [x]",
        "{n} {page} %s %(n)s {{ x }} {% y %}",
        '","medicine":"Morphine"}',
    ],
)
def test_what_a_user_typed_is_never_markup(hostile: str) -> None:
    item = replace(AMOXICILLIN, medicine=hostile, strength=hostile, instructions=hostile)
    document = replace(
        DOCUMENT,
        patient_name=hostile,
        prescriber_name=hostile,
        diagnosis=hostile,
        notes=hostile,
        items=(item,),
    )
    (text,) = texts(document)
    # Patient, prescriber (twice: the head and the signature), diagnosis, notes, three in the item.
    assert text.count(hostile) == 8


def test_direction_overrides_and_control_characters_are_dropped() -> None:
    item = replace(AMOXICILLIN, strength="\u202e\u061c5\u2066 \x00m\x1bg\u202c")
    (text,) = texts(replace(DOCUMENT, items=(item,)))
    assert "Amoxicillin 5 mg" in text


def test_a_name_stays_on_its_line_and_instructions_keep_theirs() -> None:
    item = replace(AMOXICILLIN, medicine="Amoxi\r\ncillin", instructions="One\r\nTwo\u2028Three")
    (text,) = texts(replace(DOCUMENT, items=(item,)))
    assert "Amoxi cillin 500 mg" in text
    assert "OneTwoThree" in text


def test_instructions_of_very_many_lines_run_on() -> None:
    item = replace(AMOXICILLIN, instructions="\n\n".join(f"<{n}>" for n in range(60)))
    (text,) = texts(replace(DOCUMENT, items=(item,)))
    assert "<0> / <1> / <2>" in text
    assert "<58> / <59>" in text


@pytest.mark.parametrize("dose", ["10:30", "1/2", "2-3", "2–3", "0.5 mg", "1,000 IU", "½", "37.5°"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_figure_keeps_its_order_in_arabic(language: Language, dose: str) -> None:
    item = replace(AMOXICILLIN, instructions=f"قرص {dose} فقط")
    (text,) = texts(replace(DOCUMENT, items=(item,)), language=language)
    assert dose in text


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_latin_name_and_its_dose_stay_together_before_arabic(language: Language) -> None:
    item = replace(AMOXICILLIN, instructions="Augmentin 625 mg كل 8 ساعات")
    (text,) = texts(replace(DOCUMENT, items=(item,)), language=language)
    # As the eye meets them from the left; read from the right, it is every 8 hours.
    assert "Augmentin 625 mg ساعات 8 كل" in text


def test_each_line_has_the_direction_of_its_own_first_letter() -> None:
    (text,) = texts(replace(DOCUMENT, notes="After food.\nقبل 8 ml بعد"))
    assert "After food.بعد 8 ml قبل" in text


def test_arabic_digits_and_joiners_are_printed_as_typed() -> None:
    (text,) = texts(replace(DOCUMENT, patient_name="علی\u200cرضا", notes="٥٠٠ مجم"))
    assert "٥٠٠" in text
    assert "رضا" in text


@pytest.mark.parametrize("text", ["pill 💊", "王小明", "a\ufffdb", "שלום"])
def test_a_character_that_the_fonts_lack_does_not_stop_the_printing(text: str) -> None:
    (page,) = texts(replace(DOCUMENT, patient_name=text, notes=text))
    assert "Amoxicillin 500 mg" in page
