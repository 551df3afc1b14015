"""How long a prescription takes to be set on paper, the longest that can be too: see README.md.

python benchmarks/prescription_pdf.py

Prints the median of each in both languages and on both papers, and its ratio to a prescription of
one medicine; fails where any takes a second of a processor.
"""

from __future__ import annotations

import datetime as dt
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from common.languages import Language  # noqa: E402
from prescriptions.pdf import (  # noqa: E402
    DocumentItem,
    Paper,
    PrescriptionDocument,
    SafetyNote,
    render_prescription_pdf,
)

ROUNDS, LIMIT = 5, 1.0
AMOXICILLIN = DocumentItem(
    medicine="Amoxicillin", strength="500 mg", route="ORAL", frequency=3, frequency_unit="DAY",
    as_needed=False, duration_days=7, quantity=21, refills=2, instructions="After food.",
)  # fmt: skip
ONE = PrescriptionDocument(
    number="7K3-M9Q-2TC", version=1,
    issued_on=dt.date(2026, 11, 22), valid_until=dt.date(2026, 12, 22),
    patient_name="Mona Abdelrahman Hassan", patient_birth_date=dt.date(1990, 3, 4),
    patient_sex="FEMALE", prescriber_name="Dr Karim El-Sayed",
    prescriber_specialization_en="Internal medicine", prescriber_specialization_ar="الباطنة",
    prescriber_licence_number="EG-104522", diagnosis="Acute sinusitis", notes="", safety=(),
    items=(AMOXICILLIN,), verification_url=f"https://medisync.example/verify/{'x' * 43}?v=1",
    content_hash="0f1e2d3c4b5a69788796a5b4c3d2e1f0",
)  # fmt: skip


# Typst remembers what it has set, so no two texts may be the same.
_serial = count()


def fresh(text: str, length: int) -> str:
    return f"{next(_serial)} {text * length}"[:length]


def medicines(number: int) -> PrescriptionDocument:
    items = (replace(AMOXICILLIN, medicine=fresh("Amoxicillin ", 20)) for _ in range(number))
    return replace(ONE, items=tuple(items))


def longest(words: str) -> PrescriptionDocument:
    """Thirty medicines, and every field as long as it may be."""
    return replace(
        ONE,
        items=tuple(
            replace(
                AMOXICILLIN,
                medicine=fresh(words, 200),
                strength=fresh(words, 80),
                instructions=fresh(words, 500),
                is_controlled=True,
            )
            for _ in range(30)
        ),
        diagnosis=fresh(words, 500),
        notes=fresh(words, 2000),
        safety=(SafetyNote(fresh(words, 200), fresh(words, 200), reason_en=fresh(words, 300)),)
        * 10,
    )


DOCUMENTS: dict[str, Callable[[], PrescriptionDocument]] = {
    "1 medicine": lambda: medicines(1),
    "3 medicines": lambda: medicines(3),
    "20 medicines": lambda: medicines(20),
    "30 medicines": lambda: medicines(30),
    "30, all fields full, English": lambda: longest("Take one with a glass of water "),
    "30, all fields full, Arabic": lambda: longest("قرص واحد مع كوب ماء "),
    "30, all fields full, mixed": lambda: longest("مع Ibuprofen 100 mg بعد الأكل، "),
    "30, all fields one endless word": lambda: longest("W"),
    "the same, Arabic": lambda: longest("ش"),
}
SHEETS: list[tuple[Paper, Language]] = [("A4", "en"), ("A4", "ar"), ("A5", "en"), ("A5", "ar")]


def timed(make: Callable[[], PrescriptionDocument]) -> Iterator[tuple[float, float]]:
    for paper, language in SHEETS:
        document = make()
        clock, worked = time.perf_counter(), time.process_time()
        render_prescription_pdf(document, paper=paper, language=language)
        yield time.perf_counter() - clock, time.process_time() - worked


def main() -> None:
    ((first, _), *_rest) = timed(DOCUMENTS["1 medicine"])
    print(f"the first of a process, its fonts with it: {first * 1000:.0f} ms\n")
    print("| prescription | by the clock | of a processor | ratio |\n|---|---|---|---|")
    base, slowest = 0.0, 0.0
    for name, make in DOCUMENTS.items():
        times = [pair for _ in range(ROUNDS) for pair in timed(make)]
        clock, work = (statistics.median(column) for column in zip(*times, strict=True))
        base, slowest = base or work, max(slowest, work)
        print(f"| {name} | {clock * 1000:.0f} ms | {work * 1000:.0f} ms | {work / base:.1f} |")
    if slowest >= LIMIT:
        raise SystemExit(f"One takes {slowest:.2f} s of a processor.")


if __name__ == "__main__":
    main()
