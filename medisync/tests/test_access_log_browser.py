"""In a browser: a doctor looks, the patient reads it and asks, an administrator answers."""

from __future__ import annotations

import pyotp
import pytest
from playwright.sync_api import Browser, expect

from accounts.models import User
from accounts.tests.factories import PASSWORD
from audit.models import AccessCase
from connections.models import Connection
from medisync.tests.browsing import PHONE, Person
from prescriptions.tests.factories import issue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ANSWER = "The doctor compared it with your new one."


@pytest.mark.parametrize("language", ["en", "ar"])
def test_access_is_read_questioned_and_answered(
    browser: Browser, site: str, connection: Connection, admin: User, language: str
) -> None:
    User.objects.update(language=language)
    prescription = issue(connection)
    clinic = Person(browser, site, language)
    patient = Person(browser, site, language, **PHONE)
    desk = Person(browser, site, language)

    clinic.sign_in(connection.doctor.email, PASSWORD)
    clinic.visit(f"/prescriptions/{prescription.pk}")

    # The last visit stands on the first page; all of them are one step away.
    patient.sign_in(connection.patient.email, PASSWORD)
    patient.visit("/")
    expect(patient.page.locator("main")).to_contain_text("Karim Nabil")
    patient.send("main a[href='/access-log']")
    visit = patient.page.locator("main article.card")
    expect(visit).to_have_count(1)
    visit.locator("summary").click()
    patient.look()
    patient.send("main article.card .timeline__item:first-child a[href$='/question']")
    patient.page.fill("[name=question]", "Why was this opened again?")
    patient.send()
    expect(patient.page.locator("textarea")).to_have_count(0)
    case = AccessCase.objects.get()
    assert case.event.object_id == prescription.pk

    desk.sign_in(admin.email, PASSWORD)
    desk.visit("/security/totp")
    desk.page.fill("[name=code]", pyotp.TOTP(desk.page.inner_text("main bdi.mono")).now())
    desk.send("main form:has([name=code]) .button--primary")
    desk.visit("/notifications")
    # The newest tells of the second factor.
    desk.send("form[action$='/open'] button >> nth=1")
    assert desk.page.url == f"{site}/admin/audit/accesscase/{case.pk}/change/"
    expect(desk.page.locator("#content")).to_contain_text("Why was this opened again?")
    desk.page.fill("[name=answer]", ANSWER)
    desk.send(".review__approve")
    expect(desk.page.locator("textarea")).to_have_count(0)
    desk.visit("/admin/audit/accesscase/?state=all")
    desk.visit("/admin/")

    patient.visit("/access-log")
    expect(patient.page.locator("main .alert--success")).to_contain_text(ANSWER)
    patient.send(f"main .alert--success a[href='/access-log/{case.event_id}/question']")
    expect(patient.page.locator("main .alert--success")).to_contain_text(ANSWER)
    # That the administrator read the case is in the log as well, and so is one's own reading.
    patient.visit("/access-log?by=all")
    expect(patient.page.locator("main")).to_contain_text("Ada Admin")
    patient.visit("/access-log?category=REPORT")
    expect(patient.page.locator("main .empty")).to_be_visible()


def test_log_works_without_javascript(
    browser: Browser, site: str, connection: Connection, admin: User
) -> None:
    issue(connection)
    reader = Person(browser, site, "en", java_script_enabled=False)
    reader.look = lambda: None  # axe is a script

    reader.sign_in(connection.patient.email, PASSWORD)
    reader.visit("/access-log")
    # The check and the issue are one visit, which opens to show each.
    reader.page.click("main details:has(a[href$='/question']) > summary")
    reader.send("main a[href$='/question']:visible")
    reader.page.fill("[name=question]", "Why was this prescribed?")
    reader.send()

    expect(reader.page.locator("main")).to_contain_text("Waiting for an answer")
