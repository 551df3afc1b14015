"""Journeys of identity in a browser: second factor, sessions, an application decided."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Browser, expect

from accounts.models import CorrectionStep, DeviceSession, RejectReason, Role, Status, User
from accounts.tests.factories import PASSWORD
from accounts.tests.registering import PASSWORD as REGISTERING_PASSWORD
from accounts.tests.registering import complete_doctor, verified
from medisync.devstack.mailbox import Mailbox
from medisync.tests.browsing import PHONE, Person, link_mailed_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.alone
@pytest.mark.parametrize("language", ["en", "ar"])
def test_session_ended_in_one_window_closes_the_other(
    browser: Browser, site: str, patient: User, language: str
) -> None:
    User.objects.filter(pk=patient.pk).update(language=language)
    phone = Person(browser, site, language, **PHONE)
    phone.sign_in(patient.email, PASSWORD)
    of_phone = DeviceSession.objects.get()
    laptop = Person(browser, site, language, color_scheme="dark")
    laptop.sign_in(patient.email, PASSWORD)
    phone.visit("/prescriptions")

    laptop.visit("/sessions")
    laptop.page.click(f"form[action$='{of_phone.pk}/revoke'] button")

    began = time.monotonic()
    phone.page.wait_for_url("**/login")
    assert time.monotonic() - began < 3
    phone.visit("/prescriptions")
    assert "/login" in phone.page.url


@pytest.mark.parametrize("language", ["en", "ar"])
def test_recovery_code_lets_in_whoever_lost_the_phone(
    browser: Browser, site: str, patient: User, language: str
) -> None:
    User.objects.filter(pk=patient.pk).update(language=language)
    person = Person(browser, site, language, **PHONE)
    person.sign_in(patient.email, PASSWORD)

    person.visit("/security")
    person.send("a[href='/security/totp']")
    app = pyotp.TOTP(person.page.inner_text("main bdi.mono"))
    person.page.fill("[name=code]", app.now())
    person.send()
    paper = person.page.inner_text("main pre").split()
    assert len(paper) == 10
    person.visit("/security")
    person.leave()
    person.sign_in(patient.email, PASSWORD)
    assert person.page.url.endswith("/login/second-factor")
    person.page.fill("[name=code]", paper[0])
    person.send("main form:has([name=code]) .button--primary")

    assert urlsplit(person.page.url).path == "/"
    person.leave()
    person.sign_in(patient.email, PASSWORD)
    person.page.fill("[name=code]", paper[0])
    with person.page.expect_navigation():
        person.page.click("main form:has([name=code]) .button--primary")
    assert person.page.url.endswith("/login/second-factor")


@pytest.mark.parametrize("device", [PHONE, {"color_scheme": "dark"}], ids=["phone", "desktop"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_link_in_the_mail_leads_to_a_new_password(
    browser: Browser,
    site: str,
    mailbox: Mailbox,
    patient: User,
    device: dict[str, object],
    language: str,
) -> None:
    """Asked for in one browser, whoever's that is, and opened in the one where the mail is."""
    User.objects.filter(pk=patient.pk).update(language=language)
    asking = Person(browser, site, language)
    asking.visit("/password/forgot")
    asking.page.fill("[name=email]", patient.email)
    asking.send()
    reading = Person(browser, site, "en", **device)

    reading.visit(link_mailed_to(patient.email, mailbox))
    link = reading.page.url
    assert reading.page.get_attribute("html", "lang") == language
    expect(reading.page.locator("main")).to_contain_text(patient.email)
    reading.page.fill("[name=new_password]", "short")
    reading.page.click("main form .button--primary")
    expect(reading.page.locator(".field__errors")).to_be_visible()
    reading.complaints.clear()  # that it was answered by 400
    reading.look()
    reading.page.fill("[name=new_password]", "a quite long sentence")
    reading.send()
    reading.send("main a.button")
    reading.sign_in(patient.email, "a quite long sentence")

    assert urlsplit(reading.page.url).path == "/"
    reading.page.goto(link)
    expect(reading.page.locator("main a[href='/password/forgot']")).to_be_visible()
    reading.complaints.clear()  # that it was answered by 404
    reading.look()


def test_link_in_the_mail_works_without_a_script(
    browser: Browser, site: str, mailbox: Mailbox, patient: User
) -> None:
    reading = Person(browser, site, "en", java_script_enabled=False, **PHONE)
    reading.look = lambda: None  # axe is a script
    reading.visit("/password/forgot")
    reading.page.fill("[name=email]", patient.email)
    reading.send()

    reading.visit(link_mailed_to(patient.email, mailbox))
    reading.page.fill("[name=new_password]", "a quite long sentence")
    reading.send()

    patient.refresh_from_db()
    assert patient.check_password("a quite long sentence")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_application_is_returned_corrected_and_approved(
    browser: Browser, site: str, admin: User, language: str
) -> None:
    User.objects.filter(pk=admin.pk).update(language=language)
    doctor = complete_doctor(verified(role=Role.DOCTOR, language=language))
    desk = Person(browser, site, language)
    desk.sign_in(admin.email, PASSWORD)
    desk.visit("/admin/")
    assert desk.page.url.endswith("/security")
    desk.send("a[href='/security/totp']")
    desk.page.fill("[name=code]", pyotp.TOTP(desk.page.inner_text("main bdi.mono")).now())
    desk.send()
    applicant = Person(browser, site, language, **PHONE)
    applicant.sign_in(doctor.email, REGISTERING_PASSWORD)

    claim(desk, doctor)
    desk.page.click("details:has(form[action$='/return/']) > summary")
    desk.page.check(f"[name=return-step][value={CorrectionStep.PRACTICE}]")
    desk.page.fill("[name=return-note]", "The number has a digit too few.")
    desk.send("form[action$='/return/'] button")
    applicant.visit("/")
    expect(applicant.page.locator("main")).to_contain_text("The number has a digit too few.")
    applicant.send("a[href='/application']")
    applicant.page.fill("[name=licence_number]", "EG-0000019")
    applicant.send()
    claim(desk, doctor)
    for box in desk.page.locator("[name=approve-checks]").all():
        box.check()
    desk.page.fill("[name=approve-licence_expiry_date]", "2031-01-01")
    desk.send("form[action$='/approve/'] button")

    applicant.visit("/connections")
    doctor.refresh_from_db()
    assert doctor.status == Status.ACTIVE
    assert doctor.doctor_profile.licence_number == "EG-0000019"


def test_application_is_rejected_with_its_reason(browser: Browser, site: str, admin: User) -> None:
    doctor = complete_doctor(verified(role=Role.DOCTOR))
    desk = Person(browser, site, "en", **PHONE)
    desk.sign_in(admin.email, PASSWORD)
    desk.visit("/security/totp")
    desk.page.fill("[name=code]", pyotp.TOTP(desk.page.inner_text("main bdi.mono")).now())
    desk.send()
    applicant = Person(browser, site, "en", **PHONE)
    applicant.sign_in(doctor.email, REGISTERING_PASSWORD)

    claim(desk, doctor)
    desk.page.click("details:has(form[action$='/reject/']) > summary")
    desk.page.check(f"[name=reject-reason_code][value={RejectReason.LICENCE_ENDED}]")
    desk.page.fill("[name=reject-note]", "It ended in May.")
    desk.send("form[action$='/reject/'] button")

    applicant.visit("/")
    expect(applicant.page.locator("main")).to_contain_text("The licence is not in force.")
    expect(applicant.page.locator("main")).to_contain_text("It ended in May.")


def claim(desk: Person, doctor: User) -> None:
    desk.visit("/admin/accounts/doctorprofile/")
    desk.send(f"a[href*='{doctor.doctor_profile.pk}']")
    desk.send("form[action$='/claim/'] button")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_people_tell_about_themselves(
    browser: Browser, site: str, patient: User, doctor: User, language: str
) -> None:
    User.objects.filter(pk__in=[patient.pk, doctor.pk]).update(language=language)
    phone = Person(browser, site, language, **PHONE)
    phone.sign_in(patient.email, PASSWORD)
    clinic = Person(browser, site, language, color_scheme="dark")
    clinic.sign_in(doctor.email, PASSWORD)

    phone.visit("/profile/health/allergies/add")
    phone.page.fill("[name=substance]", "Penicillin")
    phone.send()
    clinic.visit("/profile/practice")
    clinic.page.fill("[name=bio]", "I listen first.")
    clinic.send()

    expect(phone.page.locator("main")).to_contain_text("Penicillin")
    assert clinic.page.input_value("[name=bio]") == "I listen first."
