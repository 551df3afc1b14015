"""What a doctor has open of a patient's stops within a second of whatever ends it.

The doctor holds all three at one server: a page in Chromium, a socket that watches the chart, and
an issued address of a file. Whatever ends it happens at another server, so only what the two share
can tell the first.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import websocket
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, Page

from accounts.models import AllergyIntolerance, User
from accounts.tests.factories import AdminFactory
from accounts.tokens import token_pair
from connections.models import AccessGrant, Connection
from connections.tests.factories import GrantFactory
from medisync.tests.client import page_client, sign_in
from medisync.tests.servers import web_server

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.alone,
]
AT_ONCE = 1.0
ALLERGY, BIRTH_DATE = "Penicillin", "1990"
CATEGORIES = ["FACTS", "ALLERGIES"]


def access_token(user: User) -> str:
    return token_pair(sign_in(user), now=timezone.now())["access_token"]


def call(method: str, url: str, token: str, body: object = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.request(method, url, headers=headers, json=body, timeout=10).raise_for_status()


@dataclass
class Watch:
    """A doctor's app, which watches one chart by its socket."""

    socket: websocket.WebSocket
    patient_id: str
    frames: list[dict[str, Any]] = field(default_factory=list)
    is_closed: bool = False

    def hear(self, seconds: float) -> None:
        """Read what comes until then, or until the server closes."""
        deadline = time.monotonic() + seconds
        while not self.is_closed and (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                self._take(*self.socket.recv_data())
            except websocket.WebSocketTimeoutException:
                return

    def hear_until(self, condition: Callable[[], object], seconds: float = 10.0) -> float:
        """How long it took."""
        began = time.monotonic()
        while not condition() and time.monotonic() < began + seconds:
            self.hear(0.01)
        return time.monotonic() - began

    def _take(self, opcode: int, data: bytes) -> None:
        if opcode == websocket.ABNF.OPCODE_TEXT:
            self.frames.append(json.loads(data))
        self.is_closed = opcode == websocket.ABNF.OPCODE_CLOSE

    def heard(self, kind: str) -> list[dict[str, Any]]:
        return [
            frame
            for frame in self.frames
            if frame["type"] == kind and frame.get("patient_id") == self.patient_id
        ]


@dataclass
class Doctor:
    """All that a doctor has open of one patient."""

    page: Page
    watch: Watch
    link: str

    def sees(self, text: str) -> bool:
        return text in self.page.inner_text("body")

    def shows(self, text: str, *, is_shown: bool = True) -> None:
        """Waits until the page does, or no longer does."""
        deadline = time.monotonic() + 10
        while self.sees(text) != is_shown:
            assert time.monotonic() < deadline, f"{text} is not {'shown' if is_shown else 'gone'}."
            self.page.wait_for_timeout(10)


@pytest.fixture(scope="module")
def nodes(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[str, str]]:
    with django_db_blocker.unblock(), web_server() as near, web_server() as far:
        yield near, far


@pytest.fixture
def grant(connection: Connection) -> AccessGrant:
    AllergyIntolerance.objects.create(patient=connection.patient, substance=ALLERGY)
    return GrantFactory(connection=connection, categories=CATEGORIES)


@pytest.fixture
def far(nodes: tuple[str, str]) -> str:
    """The server at which it ends."""
    return nodes[1]


@pytest.fixture
def opened(
    nodes: tuple[str, str], grant: AccessGrant, doctor: User, patient: User, browser: Browser
) -> Iterator[Doctor]:
    near = nodes[0]
    token = access_token(doctor)
    watch = open_watch(near, token, patient)
    issued = call("POST", f"{near}/api/v1/users/{patient.pk}/summary-link", token, {}).json()["url"]
    page = open_page(browser, near, doctor, f"/patients/{patient.pk}")
    link = f"{near}{urlsplit(issued).path}"
    had = Doctor(page, watch, link)
    assert had.sees(ALLERGY)
    assert had.sees(BIRTH_DATE)
    assert httpx.get(link).status_code == 200

    yield had

    watch.socket.shutdown()
    page.context.close()


def open_watch(node: str, token: str, patient: User) -> Watch:
    socket = websocket.create_connection(
        f"{node.replace('http:', 'ws:')}/ws",
        timeout=10,
        subprotocols=["medisync.v1", f"bearer.{token}"],
        suppress_origin=True,
    )
    socket.send(json.dumps({"type": "chart.watch", "patient_id": str(patient.pk)}))
    watch = Watch(socket, str(patient.pk))
    watch.hear_until(lambda: watch.frames)
    assert watch.heard("chart.watching")
    return watch


def open_page(browser: Browser, node: str, user: User, path: str) -> Page:
    """Open, and with a socket of its own that watches."""
    context = browser.new_context()
    name = settings.SESSION_COOKIE_NAME
    cookie = page_client(user).cookies[name].value
    context.add_cookies([{"name": name, "value": cookie, "url": node}])
    page = context.new_page()
    frames: list[str] = []

    def hear(frame: str) -> None:
        frames.append(frame)

    page.on("websocket", lambda socket: socket.on("framereceived", hear))
    page.goto(f"{node}{path}")
    for _ in range(200):
        if any("chart.watching" in frame for frame in frames):
            return page
        page.wait_for_timeout(50)
    raise AssertionError("The page does not watch.")


# --- What ends it ------------------------------------------------------------------------------


def patient_parts(far: str, grant: AccessGrant) -> None:
    part(far, grant, grant.connection.patient)


def doctor_parts(far: str, grant: AccessGrant) -> None:
    part(far, grant, grant.connection.doctor)


def part(far: str, grant: AccessGrant, actor: User) -> None:
    path = f"/api/v1/requests/connections/{grant.connection_id}/deactivate"
    call("PUT", f"{far}{path}", access_token(actor))


def patient_revokes(far: str, grant: AccessGrant) -> None:
    token = access_token(grant.connection.patient)
    call("DELETE", f"{far}/api/v1/grants/{grant.pk}", token)


def patient_blocks(far: str, grant: AccessGrant) -> None:
    block(far, actor=grant.connection.patient, other=grant.connection.doctor)


def doctor_blocks(far: str, grant: AccessGrant) -> None:
    block(far, actor=grant.connection.doctor, other=grant.connection.patient)


def block(far: str, *, actor: User, other: User) -> None:
    body = {"person_id": str(other.pk)}
    call("POST", f"{far}/api/v1/requests/block", access_token(actor), body)


ENDS = [patient_parts, doctor_parts, patient_revokes, patient_blocks, doctor_blocks]


def enter_another_allergy(far: str, patient: User) -> None:
    body = {"substance": "Latex"}
    call("POST", f"{far}/api/v1/users/profile/allergies", access_token(patient), body)


@pytest.mark.parametrize("ending", ENDS, ids=lambda ending: ending.__name__)
def test_page_socket_and_file_stop_within_a_second(
    opened: Doctor, far: str, grant: AccessGrant, patient: User, ending: Callable[..., None]
) -> None:
    ending(far, grant)

    began = time.monotonic()
    opened.shows(ALLERGY, is_shown=False)
    opened.watch.hear_until(lambda: opened.watch.heard("access.revoked"))
    assert time.monotonic() - began < AT_ONCE
    assert httpx.get(opened.link).status_code == 404
    assert not opened.sees(BIRTH_DATE)
    enter_another_allergy(far, patient)
    opened.watch.hear(AT_ONCE)
    assert opened.watch.heard("chart.changed") == []
    assert not opened.sees("Latex")


def test_what_stands_goes_on(opened: Doctor, far: str, patient: User) -> None:
    """That the silence above is one: with the grant, the change is told and shown."""
    enter_another_allergy(far, patient)

    opened.watch.hear_until(lambda: opened.watch.heard("chart.changed"))
    opened.shows("Latex")
    assert [frame["category"] for frame in opened.watch.heard("chart.changed")] == ["ALLERGIES"]
    assert httpx.get(opened.link).status_code == 200


def test_suspended_doctor_is_out_within_a_second(
    opened: Doctor, far: str, doctor: User, patient: User
) -> None:
    body = {"reason": "A complaint that is being looked into."}
    token = access_token(AdminFactory())

    call("PUT", f"{far}/api/v1/users/{doctor.pk}/suspend", token, body)

    began = time.monotonic()
    opened.shows(ALLERGY, is_shown=False)
    opened.watch.hear_until(lambda: opened.watch.is_closed)
    assert time.monotonic() - began < AT_ONCE
    assert httpx.get(opened.link).status_code == 404
    assert not opened.sees(BIRTH_DATE)
    enter_another_allergy(far, patient)
    assert opened.watch.heard("chart.changed") == []


def test_of_a_narrower_grant_only_the_rest_stays(
    opened: Doctor, far: str, grant: AccessGrant, patient: User
) -> None:
    changed = {"categories": ["FACTS"], "purpose": "TREATMENT"}

    call("PUT", f"{far}/api/v1/grants/{grant.pk}", access_token(patient), changed)

    began = time.monotonic()
    opened.shows(ALLERGY, is_shown=False)
    opened.watch.hear_until(lambda: opened.watch.heard("access.revoked"))
    assert time.monotonic() - began < AT_ONCE
    opened.shows(BIRTH_DATE)
    assert httpx.get(opened.link).status_code == 200
    enter_another_allergy(far, patient)
    grown = {"patient": {"height_cm": 171}}
    call("PATCH", f"{far}/api/v1/users/profile", access_token(patient), grown)
    opened.watch.hear_until(lambda: opened.watch.heard("chart.changed"))
    assert [frame["category"] for frame in opened.watch.heard("chart.changed")] == ["FACTS"]
    assert not opened.sees(ALLERGY)


def seconds_until(moment: dt.datetime) -> float:
    return (moment - timezone.now()).total_seconds()


@pytest.fixture
def short(connection: Connection) -> dt.datetime:
    """When the grant below is over."""
    return timezone.now() + dt.timedelta(seconds=15)


class TestTimeThatIsOver:
    """Nobody does anything, so nobody announces it."""

    @pytest.fixture
    def grant(self, connection: Connection, short: dt.datetime) -> AccessGrant:
        AllergyIntolerance.objects.create(patient=connection.patient, substance=ALLERGY)
        return GrantFactory(connection=connection, categories=CATEGORIES, ends_at=short)

    def test_it_stops_within_a_second_of_its_end(
        self, opened: Doctor, far: str, short: dt.datetime, patient: User
    ) -> None:
        ahead = seconds_until(short) - AT_ONCE
        assert ahead > 0, "It was over before everything was open."
        opened.watch.hear(ahead)
        told, sees = opened.watch.heard("access.revoked"), opened.sees(ALLERGY)
        assert seconds_until(short) > 0, "It was over before it was looked at."
        assert (told, sees) == ([], True)

        opened.shows(ALLERGY, is_shown=False)
        opened.watch.hear_until(lambda: opened.watch.heard("access.revoked"))

        assert -AT_ONCE < seconds_until(short) < 0
        assert httpx.get(opened.link).status_code == 404
        enter_another_allergy(far, patient)
        opened.watch.hear(AT_ONCE)
        assert opened.watch.heard("chart.changed") == []
