"""A pharmacist's journey on a phone, without an account and without JavaScript."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from connections.models import Connection
from medisync.tests.browsing import Person
from prescriptions.models import MedicationDispense
from prescriptions.tests.dispensing import fresh
from prescriptions.tests.factories import issue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SMALL_PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def test_pharmacist_dispenses_on_a_phone_without_javascript(
    browser: Browser, site: str, connection: Connection
) -> None:
    prescription = issue(connection)
    person = Person(browser, site, "en", java_script_enabled=False, **SMALL_PHONE)
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(request.url))
    page = person.page

    page.goto(f"{site}{prescription.verification_path}")
    expect(page.get_by_role("heading", name="Authentic prescription")).to_be_visible()
    page.get_by_label("PIN").fill(prescription.pin)
    page.get_by_role("button", name="Open the prescription").click()
    expect(page.get_by_text("Mona Adel")).to_be_visible()

    page.get_by_label("Pharmacy").fill("Nile Pharmacy")
    page.get_by_label("Your name").fill("Hoda Samir")
    page.get_by_label("Licence number").fill("PH-1234")
    page.get_by_role("button", name="Take it up").click()
    code = page.locator(".code-big").inner_text()

    page.get_by_label("Quantity of Amlodipine handed out").fill("10")
    page.get_by_role("button", name="Hand out what is entered").click()
    expect(page.get_by_text("It is on record")).to_be_visible()
    assert sorted(MedicationDispense.objects.values_list("quantity", flat=True)) == [10, 20]

    page.goto(f"{site}/dispensing")
    page.get_by_label("Claim code").fill(code)
    page.get_by_role("button", name="Come back to it").click()
    page.get_by_role("button", name="Hand out everything due").click()
    expect(page.get_by_text("Everything was dispensed")).to_be_visible()

    assert fresh(prescription).status == "completed"
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(site).netloc}
    secrets = (prescription.pin, code, code.replace("-", ""))
    assert not [url for url in asked for secret in secrets if secret in url]
