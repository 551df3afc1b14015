"""The main journey in a browser: two people and a pharmacist, in both languages.

Needs Chromium; on Debian: apt-get install chromium fonts-noto-core
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.models import User
from accounts.tests.factories import PASSWORD
from medisync.devstack.mailbox import Mailbox
from medisync.tests.servers import web_server, worker
from prescriptions.models import Prescription

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SUBMIT = "main form .button--primary"


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "Needs Chromium; on Debian: apt-get install chromium fonts-noto-core"
    # Playwright's loop runs on this thread, where Django would refuse to ask the database.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()
        # Those that this loop's context has opened; the database could not be dropped.
        connections.close_all()


@pytest.fixture
def site(mailbox: Mailbox) -> Iterator[str]:
    with worker(), web_server() as address:
        yield address


class Person:
    """Somebody at a browser. Every page they are on is checked for accessibility, for
    sideways scrolling, and for anything the browser complains of."""

    def __init__(self, browser: Browser, site: str, language: str, **device: object) -> None:
        self.site = site
        self.complaints: list[str] = []
        self.context = browser.new_context(locale=language, **device)
        self.context.set_default_timeout(15_000)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._note)

    def _note(self, message: object) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def visit(self, path: str) -> None:
        self.page.goto(path if path.startswith("http") else f"{self.site}{path}")
        self.look()

    def send(self, selector: str = SUBMIT) -> None:
        """Send the form of the page and look at what comes."""
        with self.page.expect_navigation():
            self.page.click(selector)
        self.look()

    def look(self) -> None:
        found = Axe().run(self.page).response["violations"]
        assert [(rule["id"], self.page.url) for rule in found] == []
        wider = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, f"{self.page.url} scrolls sideways"
        assert self.complaints == []

    def sign_in(self, email: str, password: str) -> None:
        self.visit("/login")
        self.page.fill("[name=email]", email)
        self.page.fill("[name=password]", password)
        self.send()


def code_mailed_to(address: str, mailbox: Mailbox) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for mail in mailbox.newest(to=address):
            return re.findall(r"\b[0-9]{6}\b", mail.text)[0]
        time.sleep(0.1)
    raise AssertionError("The code was not mailed.")


def register(person: Person, email: str, mailbox: Mailbox) -> None:
    person.visit("/register")
    person.page.check("[name=role][value=PATIENT]", force=True)
    person.send()
    person.page.fill("[name=email]", email)
    person.page.fill("[name=password]", "a quite long sentence")
    person.page.fill("[name=first_name]", "Layla")
    person.page.fill("[name=last_name]", "Hassan")
    person.send()
    person.page.fill("[name=otp]", code_mailed_to(email, mailbox))
    person.send()
    person.page.fill("[name=phone]", "01001234567")
    person.page.fill("[name=national_id]", "29005170100123")
    person.send()


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
    clinic.send("main form .button--primary:not([name=add])")

    # The patient is told at once, in the open page and by mail.
    expect(patient.page.locator("[data-toasts] .toast").first).to_be_visible()
    prescription = Prescription.objects.get()
    patient.visit(f"/prescriptions/{prescription.pk}")
    expect(patient.page.locator("main")).to_contain_text("Amlodipine")
    deadline = time.monotonic() + 20
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
