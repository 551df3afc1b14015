"""A patient asks, the doctor's open list shows it by itself, and the answer comes back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import User
from accounts.tests.factories import PASSWORD
from connections.models import AccessGrant, Connection
from medisync.tests.browsing import PHONE, Person, is_told

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_request_is_sent_seen_at_once_and_accepted(
    browser: Browser, site: str, patient: User, doctor: User
) -> None:
    asking, asked = Person(browser, site, "en", **PHONE), Person(browser, site, "en")
    asking.sign_in(patient.email, PASSWORD)
    asked.sign_in(doctor.email, PASSWORD)
    asked.visit("/requests")
    expect(asked.page.get_by_text("Nobody is waiting")).to_be_visible()
    is_told(asked.page)

    asking.visit(f"/doctors/{doctor.pk}")
    asking.page.get_by_role("link", name="Ask to connect").click()
    asking.page.get_by_label("What brings you").fill("A cough.")
    asking.page.get_by_label("Allergies").check()
    asking.send("main form button.button--primary")
    expect(asking.page.get_by_text("Waiting for an answer")).to_be_visible()
    is_told(asking.page)

    asked.page.get_by_role("link", name="Mona Adel", exact=True).click()
    asked.look()
    expect(asked.page.get_by_text("A cough.")).to_be_visible()
    asked.page.get_by_label("Sunday").check()
    asked.send("form[action$='/accept'] button.button--primary")

    told = asking.page.get_by_role("link", name="has accepted your request")
    expect(told).to_be_visible()
    asking.visit("/connections")
    asking.page.get_by_role("link", name="Dr Karim Nabil").click()
    asking.look()
    expect(asking.page.get_by_text("Sunday")).to_be_visible()
    assert Connection.objects.get().origin == "REQUEST"
    assert AccessGrant.objects.get().categories == ["ALLERGIES"]


def test_blocking_asks_first_and_can_be_taken_back(
    browser: Browser, site: str, connection: Connection
) -> None:
    person = Person(browser, site, "en", **PHONE)
    person.sign_in(connection.patient.email, PASSWORD)
    person.visit(f"/connections/{connection.pk}")

    person.page.get_by_role("button", name="Block").click()
    expect(person.page.get_by_text("not that you block them")).to_be_visible()
    person.page.get_by_role("button", name="Do not block").click()
    connection.refresh_from_db()
    assert connection.is_active
    person.page.get_by_role("button", name="Block", exact=True).click()
    person.send("#block-dialog button.button--danger")

    connection.refresh_from_db()
    assert connection.blocked_by_patient_at
    person.send(f"form[action='/connections/{connection.pk}/unblock'] button")
    expect(person.page.get_by_role("link", name="Ask again")).to_be_visible()
