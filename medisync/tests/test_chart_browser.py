"""A doctor looks at a chart in a browser while the patient takes it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import Browser, Page, expect

from accounts.models import AllergyIntolerance
from accounts.services.health import add_entry
from connections.models import Connection, DataCategory
from connections.services.grants import Sharing, revoke_grant, set_grant
from medisync.tests.client import page_client
from medisync.tests.servers import web_server

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
GONE = "You can no longer see this"
PATIENCE = 20_000


@pytest.fixture
def address() -> Iterator[str]:
    with web_server() as found:
        yield found


@pytest.fixture
def page(browser: Browser, address: str, connection: Connection) -> Page:
    """The doctor's browser, signed in."""
    name = settings.SESSION_COOKIE_NAME
    cookie = page_client(connection.doctor).cookies[name].value
    context = browser.new_context()
    context.add_cookies([{"name": name, "value": cookie, "url": address}])
    return context.new_page()


def elsewhere(act: Callable[[], Any]) -> Any:
    """On another thread: Playwright's event loop runs on this one, where nothing is announced."""

    def alone() -> Any:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(alone).result()


def list_allergy(connection: Connection, substance: str) -> None:
    values = {"substance": substance}
    elsewhere(lambda: add_entry(actor=connection.patient, kind=AllergyIntolerance, values=values))


def test_open_chart_follows_the_patient(page: Page, address: str, connection: Connection) -> None:
    list_allergy(connection, "Penicillin")
    shared = Sharing(categories=(DataCategory.ALLERGIES,))
    grant = elsewhere(
        lambda: set_grant(actor=connection.patient, connection_id=connection.pk, sharing=shared)
    )
    with page.expect_event("websocket") as opened:
        page.goto(f"{address}/patients/{connection.patient_id}")
    opened.value.wait_for_event("framereceived", lambda frame: "chart.watching" in str(frame))
    expect(page.get_by_text("Penicillin")).to_be_visible(timeout=PATIENCE)

    list_allergy(connection, "Peanuts")
    expect(page.get_by_text("Peanuts")).to_be_visible(timeout=PATIENCE)

    elsewhere(lambda: revoke_grant(actor=connection.patient, grant_id=grant.pk))
    expect(page.get_by_text(GONE)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Penicillin")).to_have_count(0, timeout=PATIENCE)

    page.goto(f"{address}/prescriptions")
    page.go_back()
    expect(page.get_by_text("Penicillin")).to_have_count(0, timeout=PATIENCE)
