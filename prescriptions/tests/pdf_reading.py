"""A printed prescription, read back from its bytes and from its picture."""

import re
import zlib
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from itertools import chain, groupby, product

from PIL import Image

from common.languages import Language
from prescriptions.pdf import (
    DocumentItem,
    Paper,
    PrescriptionDocument,
    SafetyNote,
    render_prescription_pdf,
)
from prescriptions.pdf.render import compiler_for

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
SKIN_TEST = SafetyNote(
    "\u2068Amoxicillin\u2069: the patient is allergic to \u2068Penicillin\u2069.",
    "\u2068Amoxicillin\u2069: لدى المريض حساسية من \u2068Penicillin\u2069.",
    reason_en="It will be watched closely: \u2068Skin test negative on 3 May\u2069",
    reason_ar="ستجري متابعته عن قرب: \u2068Skin test negative on 3 May\u2069",
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


def texts(
    document: PrescriptionDocument, paper: Paper = "A4", language: Language = "en"
) -> list[str]:
    return Pages(render_prescription_pdf(document, paper=paper, language=language)).texts


def images(document: PrescriptionDocument, paper: Paper, language: Language) -> list[Image.Image]:
    compiler = compiler_for(document, paper=paper, language=language)
    pages = compiler.compile(format="png", ppi=144)
    return [
        Image.open(BytesIO(page)).convert("L")
        for page in (pages if isinstance(pages, list) else [pages])
        if page is not None
    ]
