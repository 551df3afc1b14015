"""A chart that is open while the patient changes their mind, on a server as in production."""

# ruff: noqa: F811 - the fixture of another module is an argument here

from __future__ import annotations

import asyncio
import datetime as dt
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.db import connections
from django.utils import timezone

from accounts.models import AllergyIntolerance, Condition, DeviceSession, User
from accounts.services.health import add_entry, update_health
from common.threads import THREADS, in_database
from connections.models import AccessGrant, Connection, DataCategory
from connections.services.connections import end_connection
from connections.services.grants import Sharing, revoke_grant, set_grant
from medisync.anonymise import anonymise_everywhere
from medisync.chart.watching import sight_of
from medisync.sockets import ClientSocket
from medisync.tests.client import sign_in
from medisync.tests.servers import web_server
from medisync.tests.test_sockets import Open, Socket, as_app, open_socket  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    with django_db_blocker.unblock(), web_server() as address:
        yield address


def share(connection: Connection, *categories: str, **terms: Any) -> AccessGrant:
    grant = set_grant(
        actor=connection.patient,
        connection_id=connection.pk,
        sharing=Sharing(categories=categories, **terms),
    )
    assert grant is not None
    return grant


def watch(one: Socket, connection: Connection) -> dict[str, Any]:
    return one.ask({"type": "chart.watch", "patient_id": str(connection.patient_id)})


def next_of(one: Socket, *kinds: str) -> dict[str, Any]:
    """The next frame of these kinds; the doctor is told of other things, too."""
    while (frame := one.receive())["type"] not in kinds:
        pass
    return frame


def allergy(connection: Connection, substance: str = "Penicillin") -> None:
    add_entry(actor=connection.patient, kind=AllergyIntolerance, values={"substance": substance})


def test_doctor_is_told_what_they_may_watch(open_socket: Open, connection: Connection) -> None:
    grant = share(connection, DataCategory.ALLERGIES)
    one = open_socket(**as_app(connection.doctor))

    answer = watch(one, connection)

    assert (answer["type"], answer["grant_id"]) == ("chart.watching", str(grant.pk))
    assert answer["categories"] == ["ALLERGIES"]


def test_changes_of_what_is_shared_are_passed_on_and_no_others(
    open_socket: Open, connection: Connection
) -> None:
    share(connection, DataCategory.ALLERGIES)
    one = open_socket(**as_app(connection.doctor))
    watch(one, connection)

    add_entry(actor=connection.patient, kind=Condition, values={"name": "Asthma"})
    allergy(connection)

    assert next_of(one, "chart.changed") == {
        "type": "chart.changed",
        "patient_id": str(connection.patient_id),
        "category": "ALLERGIES",
    }


def test_change_of_what_is_nobody_elses_is_not_told(
    open_socket: Open, connection: Connection
) -> None:
    share(connection, DataCategory.FACTS, DataCategory.ALLERGIES)
    one = open_socket(**as_app(connection.doctor))
    watch(one, connection)

    update_health(actor=connection.patient, changes={"address": "7 Lane", "city": "Giza"})
    allergy(connection)
    update_health(actor=connection.patient, changes={"city": "Cairo", "height_cm": 170})

    told = [next_of(one, "chart.changed")["category"] for _ in range(2)]
    assert told == ["ALLERGIES", "FACTS"]


@pytest.mark.parametrize("end", ["taken back", "parted", "anonymised"])
def test_open_socket_hears_of_the_end_and_of_nothing_after(
    open_socket: Open, connection: Connection, admin: User, end: str
) -> None:
    grant = share(connection, DataCategory.ALLERGIES)
    one = open_socket(**as_app(connection.doctor))
    watch(one, connection)

    if end == "taken back":
        revoke_grant(actor=connection.patient, grant_id=grant.pk)
    elif end == "anonymised":
        anonymise_everywhere(
            session=sign_in(admin),
            user_id=connection.patient_id,
            email=connection.patient.email,
            reason="Asked in writing.",
        )
    else:
        end_connection(actor=connection.patient, connection_id=connection.pk)
    heard = next_of(one, "access.revoked")
    allergy(connection)
    one.send({"type": "ping"})

    assert heard["patient_id"] == str(connection.patient_id)
    assert next_of(one, "pong", "chart.changed")["type"] == "pong"
    assert watch(one, connection)["code"] == "not_found"


def test_what_runs_out_is_said_to_be_over_by_itself(
    open_socket: Open, connection: Connection
) -> None:
    one = open_socket(**as_app(connection.doctor))
    share(connection, DataCategory.ALLERGIES, ends_at=timezone.now() + dt.timedelta(seconds=6))
    one.send({"type": "chart.watch", "patient_id": str(connection.patient_id)})

    heard = next_of(one, "chart.watching"), next_of(one, "access.revoked")

    assert heard[1]["connection_id"] == str(connection.pk)
    assert watch(one, connection)["code"] == "not_found"


@async_to_sync
async def watched_until(
    session: DeviceSession, patient_id: Any, last: str, *later: tuple[asyncio.Event, str]
) -> list[str]:
    """What a socket in this very process says of a chart that it watches, until it has said
    `last`. What is asked `later` is asked once that has happened."""
    socket, told, is_over = ClientSocket(), [], asyncio.Event()
    asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    socket.session, socket.channel_layer = session, get_channel_layer()
    socket.channel_name = await socket.channel_layer.new_channel()

    async def keep(message: dict[str, Any]) -> None:
        told.append(json.loads(message["text"])["type"])
        if told[-1] == last:
            is_over.set()

    def ask(kind: str) -> None:
        frame = {"type": kind, "patient_id": str(patient_id)}
        asked.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    socket.base_send = keep
    living = asyncio.ensure_future(socket._live(asked.get))
    ask("chart.watch")
    for event, kind in later:
        await asyncio.wait_for(event.wait(), 30)
        ask(kind)
    await asyncio.wait_for(is_over.wait(), 30)
    await asyncio.sleep(0.5)
    asked.put_nowait({"type": "websocket.disconnect", "code": 1000})
    with pytest.raises(StopConsumer):
        await living
    socket.channel_layer.release(socket.channel_name)
    everyone = threading.Barrier(THREADS)
    await asyncio.gather(*(let_go(everyone) for _ in range(THREADS)))
    return told


@in_database
def let_go(everyone: threading.Barrier) -> None:
    """Each thread's connection, or the database of the tests could not be removed."""
    everyone.wait(30)
    connections.close_all()


@pytest.mark.parametrize("minutes", [-5, 5])
def test_clock_of_the_server_does_not_decide_when_it_is_over(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """That of the database does, and it is not asked again and again until then."""
    session = sign_in(connection.doctor)
    share(connection, DataCategory.ALLERGIES, ends_at=timezone.now() + dt.timedelta(seconds=6))

    wrong = timezone.now() + dt.timedelta(minutes=minutes)
    questions = []

    async def counted(*about: Any) -> Any:
        questions.append(about)
        return await sight_of(*about)

    monkeypatch.setattr("medisync.sockets.sight_of", counted)
    with time_machine.travel(wrong):
        told = watched_until(session, connection.patient_id, "access.revoked")

    assert told == ["chart.watching", "access.revoked"]
    assert 0 < len(questions) < 5


def test_who_stops_watching_at_the_very_end_is_told_nothing_after(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end is asked about in its turn, like all that a socket does."""
    session, is_asked = sign_in(connection.doctor), asyncio.Event()
    share(connection, DataCategory.ALLERGIES, ends_at=timezone.now() + dt.timedelta(seconds=3))
    questions = []

    async def slow(*about: Any) -> Any:
        questions.append(about)
        if len(questions) == 2:
            is_asked.set()
            await asyncio.sleep(0.5)
        return await sight_of(*about)

    monkeypatch.setattr("medisync.sockets.sight_of", slow)
    told = watched_until(
        session, connection.patient_id, "chart.unwatched", (is_asked, "chart.unwatch")
    )

    assert told == ["chart.watching", "access.revoked", "chart.unwatched"]


def test_who_stops_watching_hears_no_more(open_socket: Open, connection: Connection) -> None:
    share(connection, DataCategory.ALLERGIES)
    one = open_socket(**as_app(connection.doctor))
    watch(one, connection)
    one.ask({"type": "chart.unwatch", "patient_id": str(connection.patient_id)})

    allergy(connection)
    one.send({"type": "ping"})

    assert next_of(one, "pong", "chart.changed")["type"] == "pong"


@pytest.mark.parametrize("patient_id", [None, 7, "x", [], {}, "\x00"], ids=repr)
def test_watching_nobody_is_no_frame_of_ours(
    open_socket: Open, connection: Connection, patient_id: Any
) -> None:
    one = open_socket(**as_app(connection.doctor))

    answer = one.ask({"type": "chart.watch", "patient_id": patient_id})

    assert (answer["code"], answer["attr"]) == ("invalid_frame", "patient_id")
