"""Who is there and who is writing: told to the other side of a connection, and soon forgotten."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from accounts.models import User
from chat.models import Chat
from chat.presence import GRACE_SECONDS, TYPING_SECONDS
from chat.tests.factories import chat_of, say
from chat.tests.sockets import (  # noqa: F401 - fixtures
    Connect,
    join,
    opened_sockets,
    speech,
    two_servers,
)
from connections.models import Connection
from medisync.tests.servers import web_process
from medisync.tests.socket_client import Socket, as_app

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(connection: Connection) -> Chat:
    return chat_of(connection)


def online(one: Socket, user: User) -> bool | None:
    return one.answer({"type": "presence.query", "user_id": str(user.pk)})["online"]


def typing(one: Socket, chat: Chat, *, on: bool = True) -> dict[str, object]:
    return one.answer({"type": "chat.typing", "chat_id": str(chat.pk), "on": on})


def test_one_sees_whether_the_other_is_there(
    connect: Connect, connection: Connection, patient: User, doctor: User
) -> None:
    desk = connect(doctor, on=1)

    before = online(desk, patient)
    connect(patient, on=0)

    assert (before, online(desk, patient)) == (False, True)


def test_coming_and_going_is_told_in_the_chat(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    desk = connect(doctor, on=1)
    join(desk, chat)
    assert online(desk, patient) is False

    phone, tablet = connect(patient, on=0), connect(patient, on=1)
    came = desk.until("presence")
    phone.hang_up()
    stayed = [frame for frame in desk.heard(GRACE_SECONDS + 1) if frame["type"] == "presence"]
    tablet.hang_up()
    went = desk.until("presence")

    assert came == {"type": "presence", "user_id": str(patient.pk), "online": True}
    assert stayed == []
    assert went == came | {"online": False}


def test_next_page_of_a_browser_is_no_departure(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    desk, page = connect(doctor, on=1), connect(patient)
    join(desk, chat)
    assert online(desk, patient) is True

    page.hang_up()
    connect(patient)

    assert [f for f in desk.heard(GRACE_SECONDS + 1) if f["type"] == "presence"] == []


def test_own_presence_is_nobodys_question(connect: Connect, connection: Connection) -> None:
    me = connection.patient

    answer = connect(me).answer({"type": "presence.query", "user_id": str(me.pk)})

    assert answer["code"] == "not_found"


def test_writing_is_told_to_the_other_side(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    phone, desk = connect(patient), connect(doctor, on=1)
    join(phone, chat)
    join(desk, chat)

    answers = [typing(phone, chat), typing(phone, chat, on=False)]

    told = {"type": "chat.typing", "chat_id": str(chat.pk), "user_id": str(patient.pk)}
    assert [desk.until("chat.typing"), desk.until("chat.typing")] == [
        told | {"on": True},
        told | {"on": False},
    ]
    assert answers == [told | {"on": on, "ref": "answer"} for on in (True, False)]
    assert [frame for frame in phone.heard(0.3) if frame["type"] == "chat.typing"] == []


def test_who_joins_learns_that_the_other_is_writing_while_it_lasts(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    typing(connect(patient), chat)
    early = connect(doctor)
    join(early, chat)

    now = early.until("chat.typing")
    time.sleep(TYPING_SECONDS)
    late = connect(doctor)
    join(late, chat)

    assert now["on"] is True
    assert late.heard(0.3) == []


def test_who_leaves_writes_no_more(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    phone, desk = connect(patient), connect(doctor, on=1)
    join(phone, chat)
    join(desk, chat)
    typing(phone, chat)
    assert desk.until("chat.typing")["on"] is True

    phone.hang_up()

    assert desk.until("chat.typing")["on"] is False


@pytest.mark.parametrize("on", [None, 1, "true", []], ids=repr)
def test_writing_is_yes_or_no(connect: Connect, chat: Chat, patient: User, on: object) -> None:
    frame = {"type": "chat.typing", "chat_id": str(chat.pk), "on": on}

    answer = connect(patient).answer(frame)

    assert (answer["code"], answer["attr"]) == ("invalid_frame", "on")


@pytest.fixture
def without_redis(connection: Connection) -> Iterator[Socket]:
    """The doctor's socket on a server whose Redis is away."""
    with web_process(REDIS_URL="redis://127.0.0.1:9/0") as (_process, address):
        one = Socket(address.replace("http:", "ws:") + "/ws", **as_app(connection.doctor))
        yield one
        one.hang_up()


def test_with_redis_away_nothing_is_known_and_all_else_works(
    without_redis: Socket, connection: Connection
) -> None:
    chat = chat_of(connection)
    say(chat, connection.patient)

    assert online(without_redis, connection.patient) is None
    assert join(without_redis, chat, after_seq=0)["missed"][0]["seq"] == 1
    assert typing(without_redis, chat)["on"] is True
    assert without_redis.answer(speech(chat))["seq"] == 2
