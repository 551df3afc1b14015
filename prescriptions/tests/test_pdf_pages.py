"""Where the pages of a printed prescription break, and what is left empty on them."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

import pytest
import zxingcpp
from PIL import Image

from common.languages import Language
from prescriptions.pdf import Paper, PrescriptionDocument
from prescriptions.tests.pdf_reading import (
    AMOXICILLIN,
    DOCUMENT,
    MILLIMETRE,
    SHEETS,
    SKIN_TEST,
    images,
    texts,
)

PIXELS = 2 * MILLIMETRE  # in one millimetre of a picture
MARGINS = {"A4": (20, 18), "A5": (15, 14)}
LENGTHS = range(0, 60, 7)


def of_length(lines: int) -> PrescriptionDocument:
    """Every part that may be long, by turns, ends at another height of the page."""
    text = "\n".join(f"Line {n}." for n in range(lines))
    item = replace(AMOXICILLIN, instructions="\n".join(f"Sip {n}." for n in range(lines % 11)))
    document = replace(DOCUMENT, items=(item,) * 3, safety=(SKIN_TEST,) * 2)
    return replace(document, diagnosis=text) if lines % 2 else replace(document, notes=text)


def blank_bands(page: Image.Image, paper: Paper) -> Iterator[float]:
    """The heights of the empty bands between the margins of a page, in millimetres."""
    top, bottom = (round(margin * PIXELS) for margin in MARGINS[paper])
    body = page.crop((0, top, page.width, page.height - bottom))
    rows = (min(body.crop((0, y, body.width, y + 1)).tobytes()) for y in range(body.height))
    for is_blank, band in groupby(rows, key=lambda darkest: darkest == 255):
        if is_blank:
            yield len(list(band)) / PIXELS


@pytest.mark.parametrize(("paper", "language"), SHEETS)
@pytest.mark.parametrize("count", [1, 7, 20, 30])
def test_every_item_is_printed_whole_on_one_page(
    paper: Paper, language: Language, count: int
) -> None:
    items = tuple(
        replace(AMOXICILLIN, medicine=f"Drug-{n:02}-start", instructions=f"Line\n{n:02}-end")
        for n in range(count)
    )
    pages = texts(replace(DOCUMENT, items=items), paper, language)
    for n in range(count):
        assert [f"Drug-{n:02}-start" in page for page in pages] == [
            f"{n:02}-end" in page for page in pages
        ]
        assert sum(f"Drug-{n:02}-start" in page for page in pages) == 1
    assert len(pages) == 1 if count == 1 else len(pages) <= 5
    assert all(DOCUMENT.number in page for page in pages)
    if language == "en":
        assert [f"Page {n} of {len(pages)}" in page for n, page in enumerate(pages, 1)] == [
            True
        ] * len(pages)
        assert ["(continued)" in page for page in pages] == [n > 0 for n in range(len(pages))]


@pytest.mark.parametrize(("paper", "language"), SHEETS)
@pytest.mark.parametrize("words", ["W", "ش", "Wi ", "كل 8 ml "], ids=["W", "shin", "Wi", "mixed"])
def test_the_longest_item_stays_whole(paper: Paper, language: Language, words: str) -> None:
    medicine, strength, instructions = (
        f"Start{words * 500}"[: length - 6] + " Final" for length in (200, 80, 500)
    )
    item = replace(
        AMOXICILLIN,
        medicine=medicine,
        strength=strength,
        instructions=instructions,
        is_controlled=True,
        quantity=777,
    )

    pages = texts(replace(DOCUMENT, items=(item,) * 4), paper, language)

    for page in pages:
        assert page.count("Start") == page.count("Final") == 3 * page.count("777")
    assert sum(page.count("777") for page in pages) == 4


@pytest.mark.parametrize(
    ("medicine", "word", "words"),
    [("Amoxicillin", "", 2000), ("\ufdfd " * 99, "\ufdfd" * 3, 60)],
    ids=["many words", "wide letters"],
)
def test_an_item_longer_than_a_page_runs_on_and_loses_nothing(
    medicine: str, word: str, words: int
) -> None:
    told = [f"<{n}>" for n in range(words)]
    item = replace(AMOXICILLIN, medicine=medicine, instructions=" ".join(n + word for n in told))
    pages = texts(replace(DOCUMENT, items=(item, AMOXICILLIN)), "A5")
    assert sum("<" in page for page in pages) > 1
    assert all(n in "".join(pages) for n in told)


@pytest.mark.parametrize(("paper", "language"), SHEETS)
def test_nothing_runs_into_the_margins(paper: Paper, language: Language) -> None:
    wide = "W" * 150
    item = replace(AMOXICILLIN, medicine=wide, strength=wide, instructions=wide)
    document = replace(
        DOCUMENT,
        patient_name=wide,
        prescriber_name=wide,
        prescriber_specialization_en=wide,
        prescriber_specialization_ar="طبيب" * 40,
        prescriber_licence_number=wide,
        diagnosis=wide,
        notes=wide,
        items=(item, item, item),
    )
    assert "".join(texts(document, paper, language)).count("W") >= 150 * 13
    edge = round(10 * MILLIMETRE * 2)
    for page in images(document, paper, language):
        for x in (0, page.width - edge):
            assert page.crop((x, 0, x + edge, page.height)).getextrema() == (255, 255)


@pytest.mark.parametrize("paper", ["A4", "A5"])
@pytest.mark.parametrize("lines", range(0, 60, 3))
def test_no_heading_is_left_behind_by_what_it_heads(paper: Paper, lines: int) -> None:
    pages = texts(of_length(lines), paper)

    together = [
        ("Medicines", "1Amoxicillin"),
        ("Safety check", "allergic to Penicillin"),
        ("Signature and stamp", "Verify this prescription"),
        ("Content fingerprint", "Verify this prescription"),
    ]
    if lines:
        together += [("Notes", "Line 0."), ("Diagnosis", "Line 0.")][lines % 2 :][:1]
    for heading, headed in together:
        (page,) = (page for page in pages if heading in page)
        assert headed in page


@pytest.mark.parametrize(("paper", "count"), [("A4", 4), ("A5", 3)])
def test_the_line_that_ends_the_medicines_follows_the_last(paper: Paper, count: int) -> None:
    for lines in range(40):
        full = replace(DOCUMENT, items=(AMOXICILLIN,) * count, diagnosis="Line.\n" * lines + "End.")
        (page,) = (page for page in texts(full, paper) if "End of prescription" in page)
        assert f"{count}Amoxicillin" in page


@pytest.mark.parametrize(("paper", "language"), [("A4", "en"), ("A5", "ar")])
@pytest.mark.parametrize("lines", LENGTHS)
def test_room_left_empty_is_crossed_out(paper: Paper, language: Language, lines: int) -> None:
    for page in images(of_length(lines), paper, language):
        assert max(blank_bands(page, paper)) < 17


@pytest.mark.parametrize("paper", ["A4", "A5"])
def test_a_page_full_of_text_is_not_crossed_out(paper: Paper) -> None:
    notes = "\n".join(f"Line {n}." for n in range(150))
    page = images(replace(DOCUMENT, notes=notes), paper, "en")[1]
    top, bottom = (round(margin * PIXELS) for margin in MARGINS[paper])
    beside_the_text = page.crop((page.width // 2, top, page.width, page.height - bottom))
    assert beside_the_text.getextrema() == (255, 255)


@pytest.mark.parametrize(("paper", "language"), SHEETS)
def test_the_code_stands_on_the_last_page_alone(paper: Paper, language: Language) -> None:
    *before, last = images(replace(DOCUMENT, items=(AMOXICILLIN,) * 30), paper, language)
    assert [zxingcpp.read_barcodes(page) for page in before] == [[]] * len(before)
    assert zxingcpp.read_barcodes(last)[0].text == DOCUMENT.verification_url
