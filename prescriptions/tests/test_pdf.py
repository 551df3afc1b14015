"""The prescription on paper: true to its content, whatever that content is."""

import re
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from io import BytesIO
from itertools import chain, groupby, product

import pytest
import zxingcpp
from PIL import Image

from prescriptions.pdf import DocumentItem, Paper, PrescriptionDocument, render_prescription_pdf
from prescriptions.pdf.render import compiler_for
from prescriptions.sig import Language

AMOXICILLIN = DocumentItem(
    medicine="Amoxicillin",
    strength="500 mg",
    route="ORAL",
    frequency=3,
    frequency_unit="DAY",
    as_needed=False,
    duration_days=7,
    quantity=21,
    refills=2,
    instructions="After food.",
)
DOCUMENT = PrescriptionDocument(
    number="2611-4820-9375-4",
    version=2,
    issued_on=date(2026, 11, 22),
    valid_until=date(2026, 12, 22),
    patient_name="Mona Abdelrahman Hassan",
    patient_birth_date=date(1990, 3, 4),
    patient_sex="FEMALE",
    prescriber_name="Dr Karim El-Sayed",
    prescriber_specialization_en="Internal medicine",
    prescriber_specialization_ar="الباطنة",
    prescriber_licence_number="EG-104522",
    diagnosis="Acute sinusitis (J01.9)",
    notes="Come back if the fever lasts.",
    items=(AMOXICILLIN,),
    verification_url=f"https://medisync.example/verify/{'Ab3-' * 11}?v=2&h=0f1e2d3c4b5a6978",
    content_hash="0f1e2d3c4b5a69788796a5b4c3d2e1f0",
)
SHEETS = list(product(("A4", "A5"), ("en", "ar")))
MILLIMETRE = 72 / 25.4

_RUN = re.compile(rb"1 0 0 -1 (\S+) (\S+) cm[^\n]*\nBT(.*?)\nET", re.DOTALL)
# A PDF string may hold balanced parentheses unescaped.
_LITERAL = rb"(?:\\.|[^\\()])*"
for _ in range(4):
    _LITERAL = rb"(?:\\.|[^\\()]|\(%s\))*" % _LITERAL
_TOKEN = re.compile(rb"/(?P<font>f\d+) |\((?P<text>%s)\)" % _LITERAL, re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|(.))", re.DOTALL)
_CONTROL = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def _inflate(stream: bytes) -> bytes:
    return zlib.decompressobj().decompress(stream.split(b"stream\n", 1)[1])


def _unescape(match: re.Match[bytes]) -> bytes:
    octal, letter = match.groups()
    return bytes([int(octal, 8)]) if octal else _CONTROL.get(letter, letter)


class Pages:
    """The text of each page, read through the fonts' Unicode maps as a PDF viewer does.

    Words written right to left come out spelt right, but side by side in visual order.
    """

    def __init__(self, pdf: bytes) -> None:
        found = re.finditer(rb"(?s)(\d+) 0 obj\s(.*?)\sendobj", pdf)
        self._objects = {int(match[1]): match[2] for match in found}
        pages = [body for body in self._objects.values() if b"/Type/Page/" in body]
        self.texts = [self._read(page) for page in pages]

    def _reference(self, body: bytes, name: bytes) -> bytes:
        match = re.search(rb"/%s (\d+) 0 R" % name, body)
        assert match is not None
        return self._objects[int(match[1])]

    def _fonts(self, page: bytes) -> Iterator[tuple[bytes, dict[bytes, str]]]:
        resources = self._reference(page, b"Resources")
        for name in re.findall(rb"/(f\d+) \d+ 0 R", resources):
            cmap = _inflate(self._reference(self._reference(resources, name), b"ToUnicode"))
            pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>\n", cmap)
            yield (
                name,
                {
                    bytes.fromhex(glyph.decode()): bytes.fromhex(text.decode()).decode("utf-16-be")
                    for glyph, text in pairs
                    if glyph != b"0000"
                },
            )

    def _read(self, page: bytes) -> str:
        fonts = dict(self._fonts(page))
        runs = _RUN.findall(_inflate(self._reference(page, b"Contents")))
        # Runs come cell by cell; within one line they are put in the order the eye meets them.
        lines = groupby(runs, key=lambda run: run[1])
        seen = chain.from_iterable(sorted(line, key=lambda run: float(run[0])) for _, line in lines)
        text = "".join(self._spell(body, fonts) for _, _, body in seen)
        return re.sub(r"[\u200b\u2066-\u2069]", "", text).replace("\u00a0", " ")

    @staticmethod
    def _spell(body: bytes, fonts: dict[bytes, dict[bytes, str]]) -> str:
        glyphs: list[str] = []
        font: dict[bytes, str] = {}
        for token in _TOKEN.finditer(body):
            if token["font"]:
                font = fonts[token["font"]]
            else:
                codes = _ESCAPE.sub(_unescape, token["text"])
                glyphs += [font.get(codes[i : i + 2], "") for i in range(0, len(codes), 2)]
        return "".join(reversed(glyphs) if b"/ReversedChars" in body else glyphs)


def _texts(
    document: PrescriptionDocument, paper: Paper = "A4", language: Language = "en"
) -> list[str]:
    return Pages(render_prescription_pdf(document, paper=paper, language=language)).texts


def _images(document: PrescriptionDocument, paper: Paper, language: Language) -> list[Image.Image]:
    compiler = compiler_for(document, paper=paper, language=language)
    pages = compiler.compile(format="png", ppi=144)
    return [
        Image.open(BytesIO(page)).convert("L")
        for page in (pages if isinstance(pages, list) else [pages])
        if page is not None
    ]


@pytest.mark.parametrize(("paper", "language"), SHEETS)
def test_identical_documents_give_identical_bytes(paper: Paper, language: Language) -> None:
    first = render_prescription_pdf(DOCUMENT, paper=paper, language=language)
    assert first == render_prescription_pdf(replace(DOCUMENT), paper=paper, language=language)
    assert first != render_prescription_pdf(
        replace(DOCUMENT, version=3), paper=paper, language=language
    )


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
    (page,) = _images(DOCUMENT, paper, language)
    (code,) = zxingcpp.read_barcodes(page)
    assert code.text == DOCUMENT.verification_url
    assert code.format == zxingcpp.BarcodeFormat.QRCode


def test_the_english_page_says_all_that_was_prescribed() -> None:
    (text,) = _texts(DOCUMENT)
    for part in (
        "2611-4820-9375-4",
        "Version 2",
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
        "Quantity21",
        "Refills2",
        "End of prescription · 1 medicine",
        "Come back if the fever lasts.",
        "medisync.example",
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
    (text,) = _texts(replace(DOCUMENT, items=(AMOXICILLIN, syrup)), language="ar")
    for latin in ("Amoxicillin 500 mg", "120 mg/5 ml", "Ibuprofen 100 mg", "8 ml", "EG-104522"):
        assert latin in text
    for arabic in ("وصفة", "الباطنة", "أنثى", "مرات", "باراسيتامول", "ديسمبر", "دواءان"):
        assert arabic in text


def test_an_empty_field_leaves_no_label_behind() -> None:
    bare = replace(
        DOCUMENT,
        patient_birth_date=None,
        patient_sex="",
        diagnosis="",
        notes="",
        prescriber_licence_number="",
    )
    (text,) = _texts(bare)
    for label in ("Born", "Diagnosis", "Notes", "Licence"):
        assert label not in text


@pytest.mark.parametrize(("paper", "language"), SHEETS)
@pytest.mark.parametrize("count", [1, 7, 30])
def test_every_item_is_printed_whole_on_one_page(
    paper: Paper, language: Language, count: int
) -> None:
    items = tuple(
        replace(AMOXICILLIN, medicine=f"Drug-{n:02}-start", instructions=f"Line\n{n:02}-end")
        for n in range(count)
    )
    pages = _texts(replace(DOCUMENT, items=items), paper, language)
    for n in range(count):
        assert [f"Drug-{n:02}-start" in page for page in pages] == [
            f"{n:02}-end" in page for page in pages
        ]
        assert sum(f"Drug-{n:02}-start" in page for page in pages) == 1
    assert len(pages) == 1 if count == 1 else len(pages) <= 4
    assert all(DOCUMENT.number in page for page in pages)
    if language == "en":
        assert [f"Page {n} of {len(pages)}" in page for n, page in enumerate(pages, 1)] == [
            True
        ] * len(pages)
        assert ["(continued)" in page for page in pages] == [n > 0 for n in range(len(pages))]


def test_an_item_longer_than_a_page_runs_on_and_loses_nothing() -> None:
    item = replace(AMOXICILLIN, instructions="\n".join(f"<{n}>" for n in range(200)))
    pages = _texts(replace(DOCUMENT, items=(item, AMOXICILLIN)), "A5")
    assert len(pages) > 3
    assert all(f"<{n}>" in "".join(pages) for n in range(200))


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
    assert "".join(_texts(document, paper, language)).count("W") >= 150 * 13
    edge = round(10 * MILLIMETRE * 2)
    for page in _images(document, paper, language):
        for x in (0, page.width - edge):
            assert page.crop((x, 0, x + edge, page.height)).getextrema() == (255, 255)


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
    (text,) = _texts(document)
    # Patient, prescriber (twice: the head and the signature), diagnosis, notes, three in the item.
    assert text.count(hostile) == 8


def test_direction_overrides_and_control_characters_are_dropped() -> None:
    item = replace(AMOXICILLIN, strength="\u202e5\u2066 \x00m\x1bg\u202c")
    (text,) = _texts(replace(DOCUMENT, items=(item,)))
    assert "Amoxicillin 5 mg" in text


def test_a_name_stays_on_its_line_and_instructions_keep_theirs() -> None:
    item = replace(AMOXICILLIN, medicine="Amoxi\r\ncillin", instructions="One\r\nTwo\u2028Three")
    (text,) = _texts(replace(DOCUMENT, items=(item,)))
    assert "Amoxi cillin 500 mg" in text
    assert "OneTwoThree" in text


@pytest.mark.parametrize("text", ["pill 💊", "王小明", "a\ufffdb", "שלום"])
def test_a_character_that_the_fonts_lack_does_not_stop_the_printing(text: str) -> None:
    (page,) = _texts(replace(DOCUMENT, patient_name=text, notes=text))
    assert "Amoxicillin 500 mg" in page


def test_two_threads_print_at_once() -> None:
    documents = [replace(DOCUMENT, number=f"N-{n:03}") for n in range(12)]

    def print_one(document: PrescriptionDocument) -> str:
        return _texts(document)[0]

    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(print_one, documents))
    assert all(d.number in text for d, text in zip(documents, texts, strict=True))
