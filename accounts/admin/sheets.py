"""Lists as files for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.db.models import QuerySet

CHUNK = 1000
# What makes a spreadsheet take text for a formula (OWASP, "CSV Injection"), in the width of any
# script: at the start, and after what parts cells where the comma is for decimals.
STARTS_FORMULA = re.compile(r"(^|[;\t\r\n|])(?=\s*[=+\-@\t\r\n＝＋－＠])")


def sheet(columns: Sequence[str], rows: QuerySet[Any]) -> Iterator[str]:
    """Lines of CSV (RFC 4180) a thousand at a time, so that a long list takes no more memory
    than a short one. It begins with the mark by which Excel knows UTF-8."""
    yield "\ufeff" + _lines([columns])
    found = rows.iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        yield _lines([[getattr(row, column) for column in columns] for row in chunk])


def _lines(rows: Sequence[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([[_harmless(value) for value in row] for row in rows])
    return buffer.getvalue()


def _harmless(value: Any) -> str:
    """As text; behind an apostrophe where it would be taken for a formula."""
    text = "" if value is None else str(value)
    return STARTS_FORMULA.sub(r"\1'", text)
