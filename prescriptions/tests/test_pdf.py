"""The prescription on paper says what was ordered, and says it the same every time."""

import hashlib
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
import zxingcpp

from common.languages import Language
from prescriptions.pdf import (
    Ending,
    Paper,
    PrescriptionDocument,
    SafetyNote,
    render_prescription_pdf,
)
from prescriptions.pdf.labels import LABELS
from prescriptions.tests.pdf_reading import (
    AMOXICILLIN,
    DOCUMENT,
    SHEETS,
    SKIN_TEST,
    images,
    texts,
)

PRINT_ELSEWHERE = """
import hashlib
from prescriptions.pdf import render_prescription_pdf
from prescriptions.tests.pdf_reading import DOCUMENT
sheet = render_prescription_pdf(DOCUMENT, paper="A4", language="ar")
print(hashlib.sha256(sheet).hexdigest())
"""


@pytest.mark.parametrize(("paper", "language"), SHEETS)
def test_identical_documents_give_identical_bytes(paper: Paper, language: Language) -> None:
    first = render_prescription_pdf(DOCUMENT, paper=paper, language=language)
    assert first == render_prescription_pdf(replace(DOCUMENT), paper=paper, language=language)
    assert first != render_prescription_pdf(
        replace(DOCUMENT, version=3), paper=paper, language=language
    )


@pytest.mark.parametrize(("seed", "zone"), [("1", "Pacific/Auckland"), ("2", "America/Lima")])
def test_another_process_prints_the_same_bytes(seed: str, zone: str) -> None:
    elsewhere = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}

    printed = subprocess.run(
        [sys.executable, "-c", PRINT_ELSEWHERE], env=elsewhere, capture_output=True, check=True
    )

    here = render_prescription_pdf(DOCUMENT, paper="A4", language="ar")
    assert printed.stdout.decode().strip() == hashlib.sha256(here).hexdigest()


def test_the_sheet_holds_no_day_but_that_of_its_issue() -> None:
    pdf = render_prescription_pdf(DOCUMENT, paper="A4", language="en")

    days = re.findall(rb"D:(\d{8})|(\d{4}-\d\d-\d\d)T", pdf)
    assert {compact or long.replace(b"-", b"") for compact, long in days} == {b"20261122"}


@pytest.mark.parametrize(
    ("paper", "size"), [("A4", b"[0 0 595.2756 841.8898]"), ("A5", b"[0 0 419.52756 595.2756]")]
)
def test_the_page_has_the_size_of_the_paper(paper: Paper, size: bytes) -> None:
    assert b"/MediaBox" + size in render_prescription_pdf(DOCUMENT, paper=paper, language="en")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_pdf_is_archival_accessible_and_dated_by_its_issue(language: Language) -> None:
    pdf = render_prescription_pdf(DOCUMENT, paper="A4", language=language)
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    assert f"/Lang({language})".encode() in pdf
    assert b"/CreationDate(D:20261122" in pdf


def test_the_title_names_the_prescription_and_not_the_patient() -> None:
    pdf = render_prescription_pdf(DOCUMENT, paper="A4", language="en")
    assert b"/Title(Prescription 2611-4820-9375-4)" in pdf
    assert b"Mona" not in pdf


@pytest.mark.parametrize(("paper", "language"), SHEETS)
def test_the_code_on_the_page_opens_the_verification_page(paper: Paper, language: Language) -> None:
    (page,) = images(DOCUMENT, paper, language)
    (code,) = zxingcpp.read_barcodes(page)
    assert code.text == DOCUMENT.verification_url
    assert code.format == zxingcpp.BarcodeFormat.QRCode


def test_the_english_page_says_all_that_was_prescribed() -> None:
    (text,) = texts(DOCUMENT)
    for part in (
        "2611-4820-9375-4",
        "Version 2, replaces version 1",
        "Mona Abdelrahman Hassan",
        "4 Mar 1990",
        "Female",
        "Dr Karim El-Sayed",
        "Internal medicine",
        "EG-104522",
        "22 Nov 2026",
        "22 Dec 2026",
        "Acute sinusitis (J01.9)",
        "Amoxicillin 500 mg",
        "Take by mouth 3 times a day for 7 days",
        "After food.",
        "Quantity21twenty-one",
        "Refills2two",
        "End of prescription · 1 medicine",
        "Come back if the fever lasts.",
        "medisync.example",
        "Only that page shows whether the prescription is still valid.",
        "0f1e 2d3c 4b5a 6978",
        "Page 1 of 1",
    ):
        assert part in text


def test_the_arabic_page_keeps_latin_names_and_doses_in_their_own_order() -> None:
    syrup = replace(
        AMOXICILLIN,
        medicine="باراسيتامول",
        strength="120 mg/5 ml",
        instructions="مع Ibuprofen 100 mg بعد الأكل، ثم 8 ml فقط",
    )
    (text,) = texts(replace(DOCUMENT, items=(AMOXICILLIN, syrup)), language="ar")
    for latin in ("Amoxicillin 500 mg", "120 mg/5 ml", "Ibuprofen 100 mg", "8 ml", "EG-104522"):
        assert latin in text
    for arabic in ("وصفة", "الباطنة", "أنثى", "مرات", "باراسيتامول", "ديسمبر", "دواءان"):
        assert arabic in text


def test_directions_are_said_in_both_languages() -> None:
    for language in ("en", "ar"):
        (text,) = texts(DOCUMENT, language=language)
        assert "Take by mouth 3 times a day for 7 days" in text
        assert "أيام" in text


def test_a_first_version_replaces_none() -> None:
    (text,) = texts(replace(DOCUMENT, version=1))
    assert "Version 1" in text
    assert "replaces" not in text


@pytest.mark.parametrize(("language", "mark"), [("en", "Controlled medicine"), ("ar", "للرقابة")])
def test_only_a_controlled_medicine_is_marked(language: Language, mark: str) -> None:
    items = (AMOXICILLIN, replace(AMOXICILLIN, medicine="Morphine", is_controlled=True))
    (text,) = texts(replace(DOCUMENT, items=items), language=language)
    assert text.count(mark) == 1
    assert mark not in texts(DOCUMENT, language=language)[0]


def test_what_the_safety_check_found_is_printed_with_the_reason_to_prescribe() -> None:
    not_checked = SafetyNote("\u2068Blaxomit\u2069: not checked.", "\u2068Blaxomit\u2069: لم يُفحص.")
    document = replace(DOCUMENT, safety=(SKIN_TEST, not_checked))

    (english,), (arabic,) = texts(document), texts(document, language="ar")

    assert "Amoxicillin: the patient is allergic to Penicillin." in english
    assert english.count("Prescribed all the same:") == 1
    assert "Blaxomit: not checked." in english
    assert "حساسية" in arabic
    for page in (english, arabic):
        assert "Skin test negative on 3 May" in page


def test_a_copy_carries_no_code_and_says_that_it_is_a_copy() -> None:
    copy = replace(DOCUMENT, verification_url="")
    (text,) = texts(copy)
    assert "Copy for reading" in text
    for proof in ("Verify", "medisync.example", "Signature"):
        assert proof not in text
    assert zxingcpp.read_barcodes(images(copy, "A4", "en")[0]) == []


@pytest.mark.parametrize(("paper", "language"), SHEETS)
@pytest.mark.parametrize(
    ("how", "arabic"),
    [("stopped", "بتاريخ"), ("superseded", "محلها"), ("entered-in-error", "بطريق")],
)
def test_the_sheet_of_one_that_has_ended_invites_nobody_to_dispense(
    paper: Paper, language: Language, how: str, arabic: str
) -> None:
    ended = replace(DOCUMENT, ending=Ending(how=how, on=date(2026, 12, 3)))

    (text,) = texts(ended, paper, language)

    assert "do not dispense" in text
    assert arabic in text
    for invitation in ("signature", "verify", "verify_how"):
        assert LABELS[language][invitation] not in text
    assert "medisync.example" not in text
    assert zxingcpp.read_barcodes(images(ended, paper, language)[0]) == []


@pytest.mark.parametrize("paper", ["A4", "A5"])
def test_each_page_of_one_that_has_ended_is_marked(paper: Paper) -> None:
    ending = Ending(how="stopped", on=date(2026, 12, 3))
    pages = texts(replace(DOCUMENT, items=(AMOXICILLIN,) * 20, ending=ending), paper)

    assert len(pages) > 1
    assert all("Stopped on 3 Dec 2026 – do not dispense" in page for page in pages)


def test_a_copy_of_one_that_has_ended_is_marked_too() -> None:
    ending = Ending(how="stopped", on=date(2026, 12, 3))
    (text,) = texts(replace(DOCUMENT, verification_url="", ending=ending))
    assert "Stopped on 3 Dec 2026 – do not dispense" in text


def test_an_empty_field_leaves_no_label_behind() -> None:
    bare = replace(
        DOCUMENT,
        patient_birth_date=None,
        patient_sex="",
        diagnosis="",
        notes="",
        prescriber_licence_number="",
    )
    (text,) = texts(bare)
    for label in ("Born", "Diagnosis", "Notes", "Licence", "Safety"):
        assert label not in text


def test_two_threads_print_at_once() -> None:
    documents = [replace(DOCUMENT, number=f"N-{n:03}") for n in range(12)]

    def print_one(document: PrescriptionDocument) -> str:
        return texts(document)[0]

    with ThreadPoolExecutor(4) as pool:
        printed = list(pool.map(print_one, documents))
    assert all(d.number in text for d, text in zip(documents, printed, strict=True))
