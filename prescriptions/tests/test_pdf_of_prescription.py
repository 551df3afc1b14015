"""What of a prescription is printed, and what is not."""

from __future__ import annotations

import pytest

from connections.models import Connection
from prescriptions.pdf import render_prescription_pdf
from prescriptions.services.issuing import Item
from prescriptions.services.reading import printable
from prescriptions.tests.factories import AMLODIPINE, issue
from prescriptions.tests.pdf_reading import Pages, texts

pytestmark = pytest.mark.django_db

MORPHINE = Item(medicine="Morphine", strength="10 mg", as_needed=True, quantity=10)
UNKNOWN = Item(medicine="Blaxomit", strength="20 mg", as_needed=True, quantity=10)


def test_the_pin_is_not_printed(connection: Connection) -> None:
    prescription = issue(connection)
    document = printable(prescription, None)

    sheet = render_prescription_pdf(document, paper="A4", language="en")

    assert len(prescription.pin) == 6
    assert prescription.pin not in "".join(Pages(sheet).texts)
    assert prescription.pin not in repr(document).replace(prescription.content_hash, "")


def test_a_controlled_medicine_is_marked(connection: Connection) -> None:
    prescription = issue(connection, items=[AMLODIPINE, MORPHINE])
    (text,) = texts(printable(prescription, None))
    assert "Morphine 10 mgControlled medicine" in text
    assert text.count("Controlled medicine") == 1


def test_what_the_check_found_is_printed_with_why_it_was_prescribed(connection: Connection) -> None:
    prescription = issue(connection, items=[AMLODIPINE, AMLODIPINE, UNKNOWN])
    (text,) = texts(printable(prescription, None))
    assert "Amlodipine holds the same substance as Amlodipine" in text
    assert "Prescribed all the same: It is known." in text
    assert "Blaxomit: not checked" in text


def test_a_copy_keeps_what_the_check_found_to_itself(connection: Connection) -> None:
    prescription = issue(connection, items=[AMLODIPINE, AMLODIPINE, UNKNOWN])
    (text,) = texts(printable(prescription, None, is_copy=True))
    assert "Safety check" not in text
    assert "not checked" not in text
