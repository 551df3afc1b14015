"""What of a prescription is printed, and what is not."""

from __future__ import annotations

import pytest

from accounts.models import AllergyIntolerance
from common.clock import clinic_date
from common.languages import Language
from common.paper import written_day
from connections.models import Connection
from connections.services.connections import end_connection
from prescriptions.models import Prescription, StopReason
from prescriptions.pdf import render_prescription_pdf
from prescriptions.services.amending import amend_prescription
from prescriptions.services.issuing import Item, Order
from prescriptions.services.reading import download_prescription, printable
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.factories import AMLODIPINE, issue
from prescriptions.tests.pdf_reading import Pages, texts

pytestmark = pytest.mark.django_db

MORPHINE = Item(medicine="Morphine", strength="10 mg", as_needed=True, quantity=10)
UNKNOWN = Item(medicine="Blaxomit", strength="20 mg", as_needed=True, quantity=10)


def stop(prescription: Prescription, reason: StopReason) -> None:
    stop_prescription(actor=prescription.doctor, prescription_id=prescription.pk, reason=reason)


def printed(prescription: Prescription, language: Language = "en") -> bytes:
    _, sheet = download_prescription(
        actor=prescription.patient, prescription_id=prescription.pk, paper="A4", language=language
    )
    return sheet


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


def test_paper_says_nothing_of_what_is_not_shared_with_its_reader(connection: Connection) -> None:
    for substance in ("Amlodipine", "Foozine"):
        AllergyIntolerance.objects.create(patient=connection.patient, substance=substance)

    (text,) = texts(printable(issue(connection), None))

    assert "that the doctor could not see conflicts with Amlodipine (allergy)." in text
    assert "An allergy that the doctor could not see could not be compared." in text
    assert "not shared with you" not in text


def test_a_copy_keeps_what_the_check_found_to_itself(connection: Connection) -> None:
    prescription = issue(connection, items=[AMLODIPINE, AMLODIPINE, UNKNOWN])
    (text,) = texts(printable(prescription, None, is_copy=True))
    assert "Safety check" not in text
    assert "not checked" not in text


@pytest.mark.parametrize(
    ("language", "mark"), [("en", "Stopped on {} – do not dispense"), ("ar", "بتاريخ")]
)
def test_one_that_was_stopped_is_marked_with_the_day(
    connection: Connection, language: Language, mark: str
) -> None:
    prescription = issue(connection)
    stop(prescription, StopReason.NOT_NEEDED)

    (text,) = Pages(printed(prescription, language)).texts

    assert mark.format(written_day(clinic_date(), "en").replace("\u00a0", " ")) in text


def test_one_that_was_replaced_names_the_version_in_its_place(connection: Connection) -> None:
    prescription = issue(connection)
    amend_prescription(
        actor=prescription.doctor, prescription_id=prescription.pk, order=Order(items=[MORPHINE])
    )

    (text,) = Pages(printed(prescription)).texts

    assert "Replaced by version 2 – do not dispense" in text


def test_one_written_by_mistake_says_so(connection: Connection) -> None:
    prescription = issue(connection)
    stop(prescription, StopReason.ENTERED_IN_ERROR)

    (text,) = Pages(printed(prescription)).texts

    assert "Written by mistake – do not dispense" in text


def test_prescriber_who_has_parted_prints_a_copy_without_its_code(connection: Connection) -> None:
    prescription = issue(connection, items=[UNKNOWN])
    end_connection(actor=connection.patient, connection_id=connection.pk)

    _, sheet = download_prescription(
        actor=connection.doctor, prescription_id=prescription.pk, paper="A4", language="en"
    )

    (text,) = Pages(sheet).texts
    assert "Copy for reading" in text
    assert "Verify this prescription" not in text
    assert "Blaxomit: not checked" in text


def test_one_that_has_ended_prints_the_same_every_time(connection: Connection) -> None:
    prescription = issue(connection)
    before = printed(prescription)
    stop(prescription, StopReason.NOT_NEEDED)

    after = printed(prescription)

    assert after != before
    assert after == printed(prescription)
