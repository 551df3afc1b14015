"""A doctor looks at a chart in a browser while the patient takes it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import AllergyIntolerance
from accounts.services.health import add_entry
from audit.models import AccessEvent
from connections.models import Connection, DataCategory
from connections.services.grants import Sharing, revoke_grant, set_grant
from medisync.tests.browsing import is_told
from medisync.tests.client import page_client
from medisync.tests.servers import web_server

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
GONE = "You can no longer see this"


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
    page.goto(f"{address}/patients/{connection.patient_id}")
    is_told(page)
    expect(page.get_by_text("Penicillin")).to_be_visible()

    list_allergy(connection, "Peanuts")
    expect(page.get_by_text("Peanuts")).to_be_visible()

    elsewhere(lambda: revoke_grant(actor=connection.patient, grant_id=grant.pk))
    expect(page.get_by_text(GONE)).to_be_visible()
    expect(page.get_by_text("Penicillin")).to_have_count(0)

    page.goto(f"{address}/prescriptions")
    page.go_back()
    expect(page.get_by_text("Penicillin")).to_have_count(0)


# A device whose clock is wrong by so many milliseconds, and that gets no socket.
WRONG_CLOCK = """
    const RealDate = Date;
    window.Date = class extends RealDate {
        constructor(...given) { super(...(given.length ? given : [window.Date.now()])); }
        static now() { return RealDate.now() + %d; }
    };
    window.WebSocket = class { addEventListener() {} send() {} close() {} };
"""


@pytest.mark.alone
@pytest.mark.parametrize("hours", [-2, 2])
def test_wrong_clock_of_a_device_neither_hides_too_early_nor_shows_too_long(
    page: Page, address: str, connection: Connection, hours: int
) -> None:
    """Each time the page asks, somebody has looked, so it must not ask for ever."""
    list_allergy(connection, "Penicillin")
    ends_at = timezone.now() + dt.timedelta(seconds=12)
    shared = Sharing(categories=(DataCategory.ALLERGIES,), ends_at=ends_at)
    elsewhere(
        lambda: set_grant(actor=connection.patient, connection_id=connection.pk, sharing=shared)
    )
    page.add_init_script(WRONG_CLOCK % (hours * 3_600_000))
    page.goto(f"{address}/patients/{connection.patient_id}")

    page.wait_for_timeout(1000)
    assert page.get_by_text("Penicillin").is_visible()
    assert timezone.now() < ends_at, "It was over before it was looked at."
    expect(page.get_by_text(GONE)).to_be_visible()

    assert page.get_by_text("Penicillin").count() == 0
    looks = AccessEvent.objects.filter(actor_id=connection.doctor_id, action="READ")
    assert elsewhere(looks.count) == 1
