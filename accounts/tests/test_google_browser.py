"""Google in a browser: in by it, out, and in again; the provider is a program of its own."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import DeviceSession, User
from accounts.tests.provider import CLIENT_ID
from medisync.tests.browsing import PHONE, Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BUTTON = "a[href^='/login/google']"


@pytest.fixture
def offered(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the web server reads when it starts."""
    monkeypatch.setenv("GOOGLE_ISSUER", provider)
    monkeypatch.setenv("GOOGLE_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("GOOGLE_CLIENT_SECRET", "a client secret")


def go_by_google(person: Person, path: str) -> None:
    person.visit(path)
    person.page.click(BUTTON)
    person.page.wait_for_url("**/oauth2/authorize**")
    with person.page.expect_navigation(url=f"{person.site}/**"):
        person.page.click("button:has-text('layla')")
    person.complaints.clear()  # those about the provider's page are not ours
    person.look()


def test_patient_registers_with_google_and_comes_back_with_it(
    browser: Browser, offered: None, site: str
) -> None:
    layla = Person(browser, site, "en", **PHONE)

    go_by_google(layla, "/register")
    expect(layla.page.locator("main")).to_contain_text("layla@example.org")
    layla.page.check("[name=role][value=PATIENT]", force=True)
    layla.send()
    layla.page.fill("[name=phone]", "01001234567")
    layla.page.fill("[name=national_id]", "29005170100123")
    layla.send()
    assert layla.page.url == f"{site}/register/done"

    layla.page.click("[data-menu] summary")
    layla.send("[data-menu] form[action='/logout'] button")
    assert layla.page.url == f"{site}/login"

    go_by_google(layla, "/login?next=/sessions")
    assert layla.page.url == f"{site}/sessions"
    expect(layla.page.locator("main")).to_contain_text("Google")
    user = User.objects.get()
    assert (user.email, user.status, user.full_name) == (
        "layla@example.org", "ACTIVE", "Layla Hassan",
    )  # fmt: skip
    assert [row.method for row in DeviceSession.objects.order_by("id")] == [
        "REGISTRATION",
        "GOOGLE",
    ]


def test_pages_work_without_javascript(browser: Browser, offered: None, site: str) -> None:
    reader = Person(browser, site, "en", java_script_enabled=False)
    reader.look = lambda: None  # axe is a script

    go_by_google(reader, "/login")

    expect(reader.page.locator("main")).to_contain_text("layla@example.org")
