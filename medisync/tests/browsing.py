"""People at browsers, for the journeys.

Needs Chromium; on Debian: apt-get install chromium fonts-noto-core
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

from medisync.devstack.mailbox import Mailbox
from medisync.tests.servers import READY_SECONDS, web_server, worker

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SUBMIT = "main form .button--primary"
# For what is expected to show; it ends a test that would fail.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)
# The answer to a ping comes from a socket that has joined all it is told of.
TOLD = """(patience) => new Promise((told, failed) => {
    const ask = () => document.dispatchEvent(
        new CustomEvent("live:send", { detail: { type: "ping" } }));
    document.addEventListener("live:pong", told, { once: true });
    document.addEventListener("live:connected", ask);
    setTimeout(() => failed(new Error("The page has no socket.")), patience);
    ask();
})"""


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
        # Without motion, so that a toast is there or gone: halfway through its fading no colour
        # has the contrast that it has when it can be read.
        self.context = browser.new_context(locale=language, reduced_motion="reduce", **device)
        self.context.set_default_timeout(PATIENCE)
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

    def leave(self) -> None:
        """Sign out, by the account menu."""
        self.page.click("[data-menu] summary")
        self.send("form[action='/logout'] button")


def is_told(page: Page) -> None:
    """Waits until the page hears of what happens, as somebody does who looks at it for a while."""
    page.evaluate(TOLD, PATIENCE)


def code_mailed_to(address: str, mailbox: Mailbox) -> str:
    return _mailed_to(address, mailbox, r"\b[0-9]{6}\b")


def link_mailed_to(address: str, mailbox: Mailbox) -> str:
    """Without the host: the worker's is not the test's."""
    return _mailed_to(address, mailbox, r"https?://[^/\s]+(/\S+)")


def _mailed_to(address: str, mailbox: Mailbox, pattern: str) -> str:
    """What the newest mail to them says that looks so, once there is one."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        for mail in mailbox.newest(to=address):
            return re.findall(pattern, mail.text)[0]
        time.sleep(0.1)
    raise AssertionError("Nothing was mailed.")


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
