"""Passkeys in a browser, whose authenticator is Chromium's own virtual one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, expect

from accounts.models import DeviceSession, Passkey, User
from accounts.tests.factories import PASSWORD
from medisync.devstack.mailbox import Mailbox
from medisync.tests.browsing import PHONE, Person
from medisync.tests.servers import web_server, worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def local_site(mailbox: Mailbox) -> Iterator[str]:
    """No passkey belongs to an IP address."""
    with worker(), web_server(host="localhost") as address:
        yield address


def give_authenticator(person: Person) -> tuple[CDPSession, str]:
    """A device that knows its owner by the finger, and says yes to everything."""
    developer = person.context.new_cdp_session(person.page)
    developer.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = developer.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return developer, made["authenticatorId"]


def test_passkey_is_added_and_signs_in_without_a_password(
    browser: Browser, local_site: str, patient: User
) -> None:
    mona = Person(browser, local_site, "en", **PHONE)
    give_authenticator(mona)
    mona.sign_in(patient.email, PASSWORD)

    mona.visit("/security")
    mona.send("text=Add a passkey")
    mona.send("main form .button--primary")
    expect(mona.page.locator("main pre")).to_be_visible()
    mona.visit("/security")
    expect(mona.page.locator("main")).to_contain_text("10 recovery codes are left")

    with mona.page.expect_navigation():
        mona.page.evaluate("document.querySelector('form[action=\"/logout\"]').submit()")
    mona.visit("/login")
    mona.send("text=Sign in with a passkey")

    session = DeviceSession.objects.filter(revoked_at=None).get()
    assert mona.page.url == f"{local_site}/"
    assert (session.method, session.factor) == ("PASSKEY", "PASSKEY")


def test_passkey_is_the_second_step_and_the_confirmation(
    browser: Browser, local_site: str, patient: User
) -> None:
    mona = Person(browser, local_site, "en")
    give_authenticator(mona)
    mona.sign_in(patient.email, PASSWORD)
    mona.visit("/security/passkeys")
    mona.send("main form .button--primary")
    with mona.page.expect_navigation():
        mona.page.evaluate("document.querySelector('form[action=\"/logout\"]').submit()")

    mona.sign_in(patient.email, PASSWORD)
    assert mona.page.url.endswith("/login/second-factor")
    mona.send("text=Use a passkey")
    mona.visit("/confirm?next=/sessions")
    mona.send("text=Use a passkey")

    assert mona.page.url.endswith("/sessions")
    assert Passkey.objects.get().sign_count > 0


def test_device_that_holds_a_passkey_already_says_so(
    browser: Browser, local_site: str, patient: User
) -> None:
    mona = Person(browser, local_site, "en")
    give_authenticator(mona)
    mona.sign_in(patient.email, PASSWORD)
    mona.visit("/security/passkeys")
    mona.send("main form .button--primary")

    mona.visit("/security/passkeys")
    mona.page.click("main form .button--primary")

    expect(mona.page.locator("[data-passkey-error]")).to_contain_text("already")
    assert Passkey.objects.count() == 1


def test_owner_who_is_not_known_to_the_device_gets_no_further(
    browser: Browser, local_site: str, patient: User
) -> None:
    mona = Person(browser, local_site, "en")
    developer, authenticator = give_authenticator(mona)
    mona.sign_in(patient.email, PASSWORD)
    mona.visit("/security/passkeys")
    developer.send(
        "WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False}
    )

    mona.page.click("main form .button--primary")

    expect(mona.page.locator("[data-passkey-error]")).to_be_visible()
    assert not Passkey.objects.exists()


def test_browser_without_scripts_is_told_and_offered_the_rest(
    browser: Browser, local_site: str, patient: User
) -> None:
    mona = Person(browser, local_site, "en", java_script_enabled=False)
    mona.look = lambda: None  # axe is a script

    mona.visit("/login")
    expect(mona.page.locator("text=Sign in with a passkey")).to_be_hidden()
    mona.sign_in(patient.email, PASSWORD)
    mona.visit("/security/passkeys")
    expect(mona.page.locator("[data-passkey-missing]")).to_be_visible()
    mona.visit("/security/totp")

    expect(mona.page.locator("main .qr svg")).to_be_visible()
