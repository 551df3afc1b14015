"""Codes in browsers: seen while they are scanned, and checked by whoever holds one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import User
from accounts.tests.factories import PASSWORD
from connections.models import Connection
from medisync.tests.browsing import PHONE, SUBMIT, Person, is_told
from prescriptions.tests.factories import issue
from qrverify.services.cards import issue_card
from qrverify.tests.factories import photo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_doctor_sees_who_looks_before_they_connect(
    browser: Browser, site: str, doctor: User, patient: User
) -> None:
    clinic = Person(browser, site, "en")
    phone = Person(browser, site, "en", **PHONE)
    clinic.sign_in(doctor.email, PASSWORD)
    clinic.visit("/qr")
    clinic.send()
    phone.sign_in(patient.email, PASSWORD)
    phone.visit("/scan")
    phone.page.fill("[data-scanner-result]", clinic.page.inner_text(".code-big"))

    is_told(clinic.page)

    phone.send()

    expect(clinic.page.locator("#just-connected")).to_contain_text("is looking at your code")
    clinic.look()
    expect(clinic.page.locator("[data-qr-shown]")).to_be_visible()

    phone.send()

    expect(clinic.page.locator("#just-connected")).to_contain_text("is connected")
    expect(clinic.page.locator("#just-connected")).not_to_contain_text("is looking")
    expect(clinic.page.locator("[data-qr-shown]")).to_be_hidden()
    expect(clinic.page.locator("#codes")).to_contain_text("Mona Adel")
    clinic.look()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_card_is_checked_without_an_account_or_a_script(
    browser: Browser,
    site: str,
    connection: Connection,
    settings: Any,
    tmp_path: Path,
    language: str,
) -> None:
    settings.SITE_URL = site
    prescription = issue(connection)
    card, _is_new = issue_card(actor=connection.patient, prescription_id=prescription.pk)
    pharmacy = Person(browser, site, language, java_script_enabled=False, **PHONE)
    pharmacy.look = lambda: None  # axe is a script
    taken = tmp_path / "card.png"
    taken.write_bytes(photo(*card.chunks).read())
    pharmacy.visit("/verify")

    pharmacy.page.set_input_files("input[type=file]", [taken])
    pharmacy.send()

    expect(pharmacy.page.locator(".verdict")).to_be_visible()
    expect(pharmacy.page.locator("main")).to_contain_text("Amlodipine")


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("device", [PHONE, {"color_scheme": "dark"}], ids=["phone", "desktop"])
def test_pages_of_checking_are_easy_to_use(
    browser: Browser,
    site: str,
    connection: Connection,
    settings: Any,
    device: dict[str, object],
    language: str,
) -> None:
    """Looked at by `Person` as every page is."""
    settings.SITE_URL = site
    prescription = issue(connection)
    card, _is_new = issue_card(actor=connection.patient, prescription_id=prescription.pk)
    pharmacy = Person(browser, site, language, **device)

    pharmacy.visit(f"/verify?language={language}")
    pharmacy.page.fill("[data-scanner-result]", "https://evil.example/")
    pharmacy.page.click(SUBMIT)
    expect(pharmacy.page.locator(".field__errors")).to_be_visible()
    pharmacy.complaints.clear()  # that it was answered by 400
    pharmacy.look()

    for text, seen in (
        ("7K3M9-Q2TC4", ".empty"),
        ("\n".join(card.chunks), ".verdict"),
        (prescription.verification_url, ".verdict"),
    ):
        pharmacy.visit(f"/verify?language={language}")
        pharmacy.page.fill("[data-scanner-result]", text)
        pharmacy.send()
        expect(pharmacy.page.locator(seen).first).to_be_visible()
