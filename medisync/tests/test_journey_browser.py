"""The main journey in a browser: two people and a pharmacist, in both languages."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import User
from accounts.tests.factories import PASSWORD
from medisync.devstack.mailbox import Mailbox
from medisync.tests.browsing import PHONE, SUBMIT, Person, is_told, register
from medisync.tests.servers import READY_SECONDS
from prescriptions.models import Prescription

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("language", ["en", "ar"])
def test_prescription_travels_from_doctor_to_pharmacy(
    browser: Browser, site: str, mailbox: Mailbox, doctor: User, language: str
) -> None:
    doctor.language = language
    doctor.save(update_fields=["language"])
    patient = Person(browser, site, language, **PHONE)
    clinic = Person(browser, site, language)
    pharmacy = Person(browser, site, language, color_scheme="dark", **PHONE)

    register(patient, "layla@example.org", mailbox)
    assert User.objects.get(email="layla@example.org").language == language

    clinic.sign_in(doctor.email, PASSWORD)
    clinic.visit("/qr")
    clinic.page.click(SUBMIT)
    clinic.page.wait_for_selector(".code-big")
    typed = clinic.page.inner_text(".code-big")
    assert clinic.page.locator(".qr svg").count() == 1

    patient.visit("/scan")
    patient.page.fill("[data-scanner-result]", typed)
    patient.send()
    expect(patient.page.locator("main")).to_contain_text("Karim Nabil")
    patient.send()
    assert "/connections/" in patient.page.url

    # The doctor's page hears of it by itself, without being asked again.
    expect(clinic.page.locator("#just-connected")).to_contain_text("Layla Hassan")
    clinic.page.click("#just-connected a")
    clinic.page.wait_for_url("**/connections/*")
    clinic.visit(f"{clinic.page.url}/prescribe")
    clinic.page.fill("[name$=medicine] >> nth=0", "Amlodipine")
    clinic.page.fill("[name$=strength] >> nth=0", "5 mg")
    clinic.page.fill("[name$=frequency] >> nth=0", "1")
    clinic.page.fill("[name$=duration_days] >> nth=0", "30")
    clinic.page.fill("[name$=quantity] >> nth=0", "30")
    patient.visit("/")
    is_told(patient.page)
    clinic.send("main form .button--primary:not([name=add])")

    # The patient is told at once, in the open page and by mail.
    expect(patient.page.locator("[data-toasts] .toast").first).to_be_visible()
    prescription = Prescription.objects.get()
    patient.visit(f"/prescriptions/{prescription.pk}")
    expect(patient.page.locator("main")).to_contain_text("Amlodipine")
    deadline = time.monotonic() + READY_SECONDS
    while len(mailbox.newest(to="layla@example.org")) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any("Amlodipine" in mail.text for mail in mailbox.newest())

    sheet = patient.context.request.get(f"{site}/prescriptions/{prescription.pk}/pdf?size=A5")
    assert sheet.body().startswith(b"%PDF-")

    pharmacy.visit(f"{site}{prescription.verification_path}")
    expect(pharmacy.page.locator(".verdict--success")).to_be_visible()
    expect(pharmacy.page.locator("main")).to_contain_text(prescription.number)
    expect(pharmacy.page.locator("main")).not_to_contain_text("Amlodipine")


def test_journey_pages_work_without_javascript(
    browser: Browser, site: str, mailbox: Mailbox, doctor: User, patient: User
) -> None:
    clinic = Person(browser, site, "en", java_script_enabled=False)
    reader = Person(browser, site, "en", java_script_enabled=False, **PHONE)
    clinic.look = reader.look = lambda: None  # axe is a script

    clinic.sign_in(doctor.email, PASSWORD)
    clinic.visit("/qr")
    clinic.send()
    typed = clinic.page.inner_text(".code-big")
    reader.sign_in(patient.email, PASSWORD)
    reader.visit("/scan")
    reader.page.fill("[data-scanner-result]", typed)
    reader.send()
    reader.send()

    clinic.visit("/connections")
    expect(clinic.page.locator("main")).to_contain_text("Mona Adel")


def test_photo_of_the_code_is_read(
    browser: Browser, site: str, doctor: User, patient: User, tmp_path: Path
) -> None:
    clinic = Person(browser, site, "en")
    reader = Person(browser, site, "en", **PHONE)
    clinic.sign_in(doctor.email, PASSWORD)
    clinic.visit("/qr")
    clinic.page.click(SUBMIT)
    clinic.page.wait_for_selector(".qr svg")
    photo = tmp_path / "photo.png"
    clinic.page.locator(".qr").screenshot(path=str(photo))

    reader.sign_in(patient.email, PASSWORD)
    reader.visit("/scan")
    reader.page.set_input_files("input[type=file]", str(photo))
    reader.send()

    expect(reader.page.locator("main")).to_contain_text("Karim Nabil")
