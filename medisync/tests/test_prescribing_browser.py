"""A doctor prescribes at a browser, by keyboard alone; and without JavaScript."""

from __future__ import annotations

from functools import partial

import pytest
from playwright.sync_api import Browser, Page

from accounts.models import AllergyIntolerance
from accounts.tests.factories import PASSWORD
from connections.models import Connection
from medisync.tests.browsing import Person
from prescriptions.models import Prescription, PrescriptionTemplate
from prescriptions.services.issuing import Item
from prescriptions.tests.factories import PARACETAMOL, issue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def at_the_form(browser: Browser, site: str, connection: Connection, **device: object) -> Person:
    doctor = Person(browser, site, "en", **device)
    doctor.sign_in(connection.doctor.email, PASSWORD)
    doctor.visit(f"/connections/{connection.pk}/prescribe")
    return doctor


def test_doctor_prescribes_by_keyboard_alone(
    browser: Browser, site: str, connection: Connection
) -> None:
    issue(connection)
    doctor = at_the_form(browser, site, connection)
    page, keys = doctor.page, doctor.page.keyboard

    # What was prescribed before fills the row.
    page.focus("#id_items-0-medicine")
    keys.type("amlo")
    page.wait_for_selector("[role=option]")
    doctor.look()
    keys.press("ArrowDown")
    keys.press("Enter")
    assert page.input_value("#id_items-0-medicine") == "Amlodipine"
    assert page.input_value("#id_items-0-strength") == "5 mg"
    assert page.input_value("#id_items-0-duration_days") == "30"
    assert page.evaluate("document.activeElement.id") == "id_items-0-quantity"

    # Enter goes on to another medicine; Escape closes the list and leaves what was typed.
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "id_items-1-medicine"
    keys.type("Ibuprofen")
    page.wait_for_selector("[role=option]")
    keys.press("Escape")
    assert page.locator("[role=option]:visible").count() == 0
    for text in ("400 mg", None, "3", None, None, "5", "15"):
        keys.press("Tab")
        if text:
            keys.type(text)

    # To the button by Tab, and through the warning that the same is prescribed already.
    def press(name: str) -> None:
        for _step in range(40):
            keys.press("Tab")
            if page.evaluate("document.activeElement.textContent.trim()") == name:
                with page.expect_navigation():
                    keys.press("Enter")
                return
        raise AssertionError(f"{name} cannot be reached")

    press("Issue the prescription")
    doctor.complaints.clear()  # the browser notes the 409
    doctor.look()
    assert page.evaluate("document.activeElement.id") == "findings"
    assert page.input_value("#id_items-1-medicine") == "Ibuprofen"
    keys.press("Tab")
    keys.press("ArrowDown")
    press("Issue the prescription")

    doctor.look()
    issued = Prescription.objects.first()
    assert page.url == f"{site}/prescriptions/{issued.pk}"
    assert [(item.medicine, item.quantity) for item in issued.items.all()] == [
        ("Amlodipine", 30),
        ("Ibuprofen", 15),
    ]
    assert issued.safety["warnings"][0]["reason_code"] == "OUTWEIGHED"
    doctor.context.close()


def without_javascript(browser: Browser, site: str, connection: Connection) -> Page:
    """The doctor, signed in."""
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(f"{site}/login")
    page.fill("[name=email]", connection.doctor.email)
    page.fill("[name=password]", PASSWORD)
    send(page, "Sign in")
    return page


def send(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.click(f"main button:visible:has-text('{name}')")


def test_doctor_prescribes_without_javascript(
    browser: Browser, site: str, connection: Connection
) -> None:
    AllergyIntolerance.objects.create(
        patient=connection.patient, substance="Penicillin", criticality="HIGH"
    )
    page = without_javascript(browser, site, connection)
    press = partial(send, page)
    page.goto(f"{site}/connections/{connection.pk}/prescribe")
    page.fill("#id_items-0-medicine", "Amoxicilin")
    page.fill("#id_items-0-frequency", "3")
    page.fill("#id_items-0-quantity", "21")

    # The name is misspelt: the page asks, and the right one conflicts.
    press("Issue the prescription")
    assert "Not checked" in page.content()
    press("Did you mean")
    assert page.input_value("#id_items-0-medicine") == "amoxicillin"
    assert "Must not be given" in page.content()
    page.select_option(".finding select", "TOLERATED")
    page.fill(".finding input[type=text]", "Twice, in May.")

    # What was answered outlives another medicine and a template.
    press("Add a medicine")
    page.fill("#id_items-1-medicine", "Paracetamol")
    page.check("#id_items-1-as_needed")
    page.fill("#id_items-1-quantity", "20")
    page.click("summary:has-text('Save as a template')")
    page.fill("#id_save_as", "Throat")
    press("Save the template")
    press("Issue the prescription")

    issued = Prescription.objects.get()
    assert page.url == f"{site}/prescriptions/{issued.pk}"
    (warning,) = issued.safety["warnings"]
    assert (warning["reason_code"], warning["reason"]) == ("TOLERATED", "Twice, in May.")
    assert PrescriptionTemplate.objects.get().name == "Throat"

    page.context.close()


def test_doctor_changes_and_stops_without_javascript(
    browser: Browser, site: str, connection: Connection
) -> None:
    AllergyIntolerance.objects.create(patient=connection.patient, substance="Penicillin")
    amoxicillin = Item(medicine="Amoxicillin", frequency=3, quantity=21)
    issued = issue(connection, items=[amoxicillin, PARACETAMOL])
    page = without_javascript(browser, site, connection)
    press = partial(send, page)

    # The difference first.
    page.goto(f"{site}/prescriptions/{issued.pk}/amend")
    page.fill("#id_items-1-quantity", "10")
    press("Show what changes")
    assert "<del" in page.content()
    press("Change it further")
    assert page.input_value("#id_items-1-quantity") == "10"
    press("Show what changes")
    assert page.input_value(".finding input[type=text]") == "It is known."
    press("Issue version 2")
    assert Prescription.objects.get(version=2).items.last().quantity == 10

    # Stopped, and begun again from what it said.
    page.goto(f"{site}/prescriptions/{Prescription.objects.get(version=2).pk}/stop")
    page.check("[name=reason][value=ALLERGY]")
    press("Stop the prescription")
    page.click("text=Issue another like it")
    assert page.input_value("#id_items-1-quantity") == "10"
    page.context.close()
