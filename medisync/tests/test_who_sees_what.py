"""Who sees what: how two people stand × what was given × each thing a patient has × each way to
look at it.

Every row is made here, none is written down. What should be seen comes from the rule in words
(`should_be_seen`), what is seen from the surfaces themselves: the API, the page, the file, a link
to the file that was given out before, the socket, and the administrators' pages.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from itertools import chain, product
from typing import Any

import pytest
import time_machine
from channels.layers import InMemoryChannelLayer
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import (
    AllergyIntolerance,
    Condition,
    DeviceSession,
    EmergencyContact,
    MedicationStatement,
    PatientProfile,
    Status,
    User,
)
from accounts.services.sessions import end_sessions
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from connections.models import AccessGrant, Connection, DataCategory
from connections.services.connections import block, connect, end_connection
from connections.services.grants import NOTHING, Sharing, revoke_grant, set_grant
from connections.services.requests import send_request
from connections.tests.factories import ConnectionFactory
from medisync import sockets as medisync_sockets
from medisync.anonymise import anonymise_everywhere
from medisync.links import _link
from medisync.sockets import ClientSocket
from medisync.tests.client import api_client, page_client, sign_in
from prescriptions.tests.factories import issue
from prescriptions.tests.pdf_reading import Pages
from records.models import Record

pytestmark = pytest.mark.django_db

LONG_AGO, LATELY = dt.date(2020, 2, 20), dt.date(2026, 6, 6)
FIRST_DAY = dt.date(2024, 4, 4)
ALL = tuple(DataCategory.values)
RECORDS = tuple(Record.Kind.values)
DATED = ("PRESCRIPTIONS", *RECORDS)
HALF, OTHER_HALF = ALL[::2], ALL[1::2]


# --- What a patient has ----------------------------------------------------------------------


@dataclass(frozen=True)
class Thing:
    """One row of a patient's data, and the text by which it is recognised."""

    category: str
    day: dt.date | None = None
    hidden: str = ""  # sensitive, or trashed

    @property
    def mark(self) -> str:
        if self.category == "FACTS":
            return "83.7"
        name = f"{self.category} {self.day or 'at present'} {self.hidden}".lower()
        return "mark" + "".join(letter for letter in name if letter.isalnum())

    def __str__(self) -> str:
        return " ".join(filter(None, [self.category, str(self.day or ""), self.hidden]))


THINGS = (
    *(Thing(category) for category in ALL if category not in DATED),
    *(Thing(category, day) for category, day in product(DATED, (LONG_AGO, LATELY))),
    *(Thing(kind, LATELY, hidden) for kind, hidden in product(RECORDS, ("sensitive", "trashed"))),
)


def tell(patient: User, colleague: Connection) -> None:
    """Give a patient every thing there is."""
    PatientProfile.objects.filter(user=patient).update(weight_kg="83.7")
    marks = {thing.category: thing.mark for thing in THINGS if thing.day is None}
    AllergyIntolerance.objects.create(patient=patient, substance=marks["ALLERGIES"])
    Condition.objects.create(patient=patient, name=marks["CONDITIONS"])
    MedicationStatement.objects.create(patient=patient, name=marks["MEDICATIONS"])
    EmergencyContact.objects.create(
        patient=patient, name=marks["EMERGENCY_CONTACTS"], phone="+201112223334"
    )
    for thing in THINGS:
        if thing.category == "PRESCRIPTIONS":
            with time_machine.travel(dt.datetime.combine(thing.day, dt.time(12)), tick=False):
                issue(colleague, diagnosis=thing.mark)
    Record.objects.bulk_create(
        Record(
            patient=patient,
            kind=thing.category,
            title=thing.mark,
            date=thing.day,
            is_sensitive=thing.hidden == "sensitive",
            trashed_at=timezone.now() if thing.hidden == "trashed" else None,
        )
        for thing in THINGS
        if thing.category in RECORDS
    )


# --- What was given --------------------------------------------------------------------------


@dataclass(frozen=True)
class Gift:
    """What a patient chose one after the other, and what is open in the end."""

    name: str
    choices: tuple[Sharing, ...] = ()
    then: str = ""  # taken back, or expired
    opens: tuple[str, ...] = ()
    opens_from: dt.date | None = None

    def __str__(self) -> str:
        return self.name


def chosen(*categories: str) -> Sharing:
    return Sharing(categories=categories)


GIFTS = (
    Gift("nothing"),
    Gift("everything", (chosen(*ALL),), opens=ALL),
    Gift("one half", (chosen(*HALF),), opens=HALF),
    Gift("the other half", (chosen(*OTHER_HALF),), opens=OTHER_HALF),
    Gift("everything, expired", (chosen(*ALL),), "expired"),
    Gift("everything, taken back", (chosen(*ALL),), "taken back"),
    Gift("everything, then one half", (chosen(*ALL), chosen(*HALF)), opens=HALF),
    Gift("one half, then the other", (chosen(*HALF), chosen(*OTHER_HALF)), opens=OTHER_HALF),
    Gift("everything, then nothing", (chosen(*ALL), NOTHING)),
    Gift(
        "everything from a day on",
        (Sharing(categories=ALL, data_from=FIRST_DAY),),
        opens=ALL,
        opens_from=FIRST_DAY,
    ),
)
NARROW = tuple(
    chain.from_iterable(
        (
            Gift(f"only {code}", (chosen(code),), opens=(code,)),
            Gift(
                f"all but {code}",
                (chosen(*(other for other in ALL if other != code)),),
                opens=tuple(other for other in ALL if other != code),
            ),
        )
        for code in ALL
    )
)


def give(connection: Connection, gift: Gift) -> None:
    for sharing in gift.choices:
        set_grant(actor=connection.patient, connection_id=connection.pk, sharing=sharing)
    standing = AccessGrant.objects.standing().filter(connection=connection).first()
    if gift.then == "taken back":
        revoke_grant(actor=connection.patient, grant_id=standing.pk)
    if gift.then == "expired":
        revoke_grant(actor=connection.patient, grant_id=standing.pk)
        a_while_ago = timezone.now() - dt.timedelta(minutes=1)
        AccessGrant.objects.create(connection=connection, categories=ALL, ends_at=a_while_ago)


# --- How the two stand -----------------------------------------------------------------------

Change = Callable[[Connection], Any]


def suspended(side: str) -> Change:
    return lambda pair: User.objects.filter(pk=getattr(pair, f"{side}_id")).update(
        status=Status.SUSPENDED
    )


def ended_by(side: str) -> Change:
    return lambda pair: end_connection(actor=getattr(pair, side), connection_id=pair.pk)


def blocked_by(side: str, other: str) -> Change:
    return lambda pair: block(actor=getattr(pair, side), person_id=getattr(pair, f"{other}_id"))


def anonymised(pair: Connection) -> None:
    anonymise_everywhere(
        session=sign_in(AdminFactory()),
        user_id=pair.patient_id,
        email=pair.patient.email,
        reason="Asked in writing.",
    )


def connected_again(pair: Connection) -> None:
    end_connection(actor=pair.patient, connection_id=pair.pk)
    connect(actor=pair.patient, doctor_id=pair.doctor_id, origin=Connection.Origin.QR)


def asks_again(pair: Connection) -> None:
    """With everything promised, should the doctor accept."""
    end_connection(actor=pair.patient, connection_id=pair.pk)
    send_request(actor=pair.patient, doctor_id=pair.doctor_id, sharing=chosen(*ALL))


# What became of two people who were connected when it was given.
STATES: dict[str, Change] = {
    "connected": lambda pair: None,
    "ended by the patient": ended_by("patient"),
    "ended by the doctor": ended_by("doctor"),
    "blocked by the patient": blocked_by("patient", "doctor"),
    "blocked by the doctor": blocked_by("doctor", "patient"),
    "connected again": connected_again,
    "ended, and asks again": asks_again,
    "doctor suspended": suspended("doctor"),
    "doctor signed out": lambda pair: end_sessions(pair.doctor, reason="signed_out"),
    "patient suspended": suspended("patient"),
    "patient anonymised": anonymised,
}
# Those who never were connected can give nothing; who asks may promise.
UNMET = ("never met", "asks")
PLACES = (
    *product(STATES, GIFTS),
    *product(["connected"], NARROW),
    *product(["never met"], GIFTS[:1]),
    *product(["asks"], GIFTS[:4]),
)
SURFACES = ("api", "page", "file", "link", "socket", "admin")


# --- What should be seen, in words -----------------------------------------------------------


def should_be_seen(state: str, gift: Gift, thing: Thing, surface: str) -> bool:
    """A doctor sees what the patient's last choice names, as long as it was not taken back, its
    time is not over, the two are connected by the connection it was made in, and the doctor is
    signed in and in good standing. Of what has a day, only what is not older than the first day
    chosen. Nothing sensitive and nothing thrown away. An administrator sees nothing of it. The
    socket tells of kinds of data, never of a row."""
    if surface == "admin" or state not in {"connected", "patient suspended"}:
        return False
    if thing.category not in gift.opens:
        return False
    if surface == "socket":
        return True
    is_too_old = thing.day is not None and thing.day < (gift.opens_from or dt.date.min)
    return not thing.hidden and not is_too_old


def rows(state: str, gift: Gift) -> Iterator[tuple[str, str, Thing, str]]:
    for thing, surface in product(THINGS, SURFACES):
        if surface != "socket" or (thing.day != LONG_AGO and not thing.hidden):
            yield state, gift.name, thing, surface


# --- What is seen ----------------------------------------------------------------------------


@dataclass
class World:
    """A patient and a doctor who stand in some way, and what the doctor has in hand."""

    patient: User
    session: DeviceSession
    app: Client
    browser: Client
    link: str

    def text_of(self, surface: str) -> str:
        """All that the surface says."""
        return getattr(self, f"_{surface}")()

    def _api(self) -> str:
        return self.app.get(f"/api/v1/users/{self.patient.pk}").content.decode()

    def _page(self) -> str:
        return self.browser.get(f"/patients/{self.patient.pk}").content.decode()

    def _file(self) -> str:
        return _words(self.browser.get(f"/patients/{self.patient.pk}/summary.pdf"))

    def _link(self) -> str:
        return _words(Client().get(self.link))

    def _admin(self) -> str:
        admin = AdminFactory()
        browser, app = page_client(admin), api_client(admin)
        answers = [
            browser.get(f"/admin/accounts/user/{self.patient.pk}/change/"),
            app.get(f"/api/v1/users/{self.patient.pk}"),
        ]
        assert [answer.status_code for answer in answers] == [200, 200]
        for path in ("", "/summary.pdf"):
            assert browser.get(f"/patients/{self.patient.pk}{path}").status_code == 404
        return "".join(answer.content.decode() for answer in answers)

    def _socket(self) -> str:
        """The marks of the kinds that it says it watches, and whose changes it passes on."""
        watched, passed = carried_out(self._watch())
        assert watched == passed
        return "".join(thing.mark for thing in THINGS if thing.category in watched)

    async def _watch(self) -> tuple[set[str], set[str]]:
        frames: list[dict[str, Any]] = []
        socket = ClientSocket()
        socket.session, socket.channel_name = self.session, "the-doctors"
        socket.channel_layer = InMemoryChannelLayer()

        async def keep(message: dict[str, Any]) -> None:
            frames.append(json.loads(message.get("text", '{"type": "closed"}')))

        socket.base_send = keep
        patient = {"patient_id": str(self.patient.pk)}
        await socket.receive(json.dumps({"type": "chart.watch"} | patient))
        for category in ALL:
            change = {"type": "chart.changed", "category": category} | patient
            await socket.forward({"type": "forward", "frame": change})
        await socket.disconnect(1000)
        watched = [
            set(frame["categories"]) for frame in frames if frame["type"] == "chart.watching"
        ]
        passed = {frame["category"] for frame in frames if frame["type"] == "chart.changed"}
        return (watched[0] if watched else set()), passed


@pytest.fixture(autouse=True)
def _sockets_ask_on_this_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose transaction holds the world. They ask the very functions they always ask."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    for name in ("sight_of", "is_live"):
        monkeypatch.setattr(
            medisync_sockets, name, _on_this_thread(getattr(medisync_sockets, name))
        )


def _on_this_thread(asked: Any) -> Any:
    async def ask(*args: Any) -> Any:
        return asked.func(*args)

    return ask


def carried_out(steps: Coroutine[Any, Any, Any]) -> Any:
    """Its value; it waits for nobody, so it needs no event loop, which would be given a database
    connection of its own."""
    try:
        steps.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("It waits.")


def _words(answer: Any) -> str:
    if answer.status_code != 200 or answer["Content-Type"] != "application/pdf":
        return answer.content.decode()
    return "".join(Pages(answer.content).texts)


def world_of(state: str, gift: Gift) -> World:
    patient, doctor = PatientFactory(), DoctorFactory()
    tell(patient, ConnectionFactory(patient=patient))
    session = sign_in(doctor)
    app, browser = api_client(doctor), page_client(doctor)
    if state == "asks":
        sharing = gift.choices[0] if gift.choices else NOTHING
        send_request(actor=patient, doctor_id=doctor.pk, sharing=sharing)
    if state not in UNMET:
        pair = ConnectionFactory(patient=patient, doctor=doctor)
        give(pair, gift)
        STATES[state](pair)
    # As if it had been given out when everything was open.
    link = _link(session, kind="summary", row=str(patient.pk), language="en")
    path = link.url.removeprefix(settings.SITE_URL)
    return World(patient, session, app, browser, path)


@pytest.mark.parametrize(("state", "gift"), PLACES, ids=str)
def test_each_surface_shows_what_the_rule_says(state: str, gift: Gift) -> None:
    world = world_of(state, gift)

    texts = {surface: world.text_of(surface) for surface in SURFACES}

    seen = {row: row[2].mark in texts[row[3]] for row in rows(state, gift)}
    expected = {row: should_be_seen(state, gift, *row[2:]) for row in seen}
    wrong = {" | ".join(map(str, row)): seen[row] for row in seen if seen[row] != expected[row]}
    assert wrong == {}


def test_no_row_of_the_table_is_there_twice() -> None:
    table = [row for state, gift in PLACES for row in rows(state, gift)]

    assert len(table) == len(set(table)) > 10_000
