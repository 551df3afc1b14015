"""Who hears and says nothing: strangers, those who have parted, and sessions that have ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import DeviceSession, Status, User
from accounts.services.sessions import revoke_session
from accounts.services.users import suspend_user
from accounts.tests.factories import AdminFactory
from chat.models import Chat, Message, Participant
from chat.services.places import mark_read
from chat.tests.factories import chat_of, say
from chat.tests.sockets import (  # noqa: F401 - fixtures
    Connect,
    join,
    nobody_is_told,
    opened_sockets,
    speech,
    two_servers,
)
from common import close_codes
from common.ids import uuid7
from connections.models import Connection
from connections.services.connections import block, connect, end_connection
from medisync.tests.client import sign_in
from medisync.tests.socket_client import Socket, access_token, bearer

pytestmark = pytest.mark.django_db(transaction=True)
NOBODYS = "01990000-0000-7000-8000-000000000000"


@pytest.fixture
def chat(connection: Connection) -> Chat:
    return chat_of(connection)


def every_frame(chat: Chat, message: Message, other: User) -> list[dict[str, Any]]:
    """All that can be asked of a chat and of its other side."""
    chat_id = str(chat.pk)
    return [
        {"type": "chat.join", "chat_id": chat_id},
        {"type": "chat.join", "chat_id": chat_id, "after_seq": 0},
        {"type": "chat.send", "chat_id": chat_id, "client_id": str(uuid7()), "content": "Hello"},
        {"type": "chat.retract", "message_id": str(message.pk)},
        {"type": "chat.typing", "chat_id": chat_id, "on": True},
        {"type": "chat.typing", "chat_id": chat_id, "on": False},
        {"type": "presence.query", "user_id": str(other.pk)},
    ]


def places(kind: str, chat: Chat) -> dict[str, Any]:
    return {"type": kind, "chat_id": str(chat.pk), "seq": 1}


def test_stranger_gets_nothing_and_learns_nothing(
    connect: Connect, chat: Chat, patient: User, doctor: User, stranger: User, other_doctor: User
) -> None:
    message = say(chat, patient)
    for who in (stranger, other_doctor):
        one = connect(who)
        frames = every_frame(chat, message, patient) + every_frame(chat, message, doctor)
        frames += [places(kind, chat) for kind in ("chat.read", "chat.delivered")]
        for frame in frames:
            named = {
                name: NOBODYS for name in ("chat_id", "message_id", "user_id") if name in frame
            }
            refused, nowhere = one.answer(frame), one.answer(frame | named)

            # The same as of one that does not exist.
            assert refused["code"] == "not_found"
            assert refused == nowhere

        say(chat, patient, "Not for them")
        assert one.heard(0.3) == []
    assert Message.objects.count() == 3


Parting = Callable[[User, Connection], Any]
PARTINGS: dict[str, Parting] = {
    "doctor ends": lambda who, pair: end_connection(actor=pair.doctor, connection_id=pair.pk),
    "patient ends": lambda who, pair: end_connection(actor=pair.patient, connection_id=pair.pk),
    "doctor blocks": lambda who, pair: block(actor=pair.doctor, person_id=pair.patient_id),
    "patient blocks": lambda who, pair: block(actor=pair.patient, person_id=pair.doctor_id),
}


@pytest.mark.parametrize("how", PARTINGS)
def test_chat_is_left_at_once_when_the_two_part(
    connect: Connect, chat: Chat, connection: Connection, how: str
) -> None:
    patient, doctor = connection.patient, connection.doctor
    message = say(chat, doctor)
    phone, desk = connect(patient, on=0), connect(doctor, on=1)
    for one in (phone, desk):
        join(one, chat)

    PARTINGS[how](patient, connection)

    # To the one who was blocked it looks like to the one who was not.
    ended = {"type": "connection.ended", "connection_id": str(connection.pk)}
    for one in (phone, desk):
        heard = one.heard(0.3, least=1, of="chat.left")
        told = [f for f in heard if f["type"] not in {"notification", "access.revoked"}]
        assert told == [ended, {"type": "chat.left", "chat_id": str(chat.pk)}]
    for frame in every_frame(chat, message, patient):
        assert desk.answer(frame)["code"] in {"connection_ended", "not_found"}
    for frame in every_frame(chat, message, doctor):
        answer = phone.answer(frame)
        assert answer["code"] in {"connection_ended", "not_found", "permission_denied"}
    assert Message.objects.count() == 1


@pytest.mark.parametrize("how", ["patient ends", "patient blocks"])
def test_end_that_nobody_was_told_of_counts_as_well(
    connect: Connect, chat: Chat, connection: Connection, how: str, settings: Any
) -> None:
    desk = connect(connection.doctor)
    message = say(chat, connection.patient)
    join(desk, chat)

    with nobody_is_told(settings):
        PARTINGS[how](connection.patient, connection)

    for frame in every_frame(chat, message, connection.patient)[2:]:
        assert desk.answer(frame)["type"] == "error"
    desk.heard(5.1)
    assert desk.until("chat.left")["chat_id"] == str(chat.pk)
    assert join(desk, chat)["code"] == "connection_ended"


def test_connected_again_they_talk_again(
    connect: Connect, chat: Chat, connection: Connection
) -> None:
    phone, desk = connect(connection.patient), connect(connection.doctor)
    join(desk, chat)
    end_connection(actor=connection.doctor, connection_id=connection.pk)
    desk.until("chat.left")

    connect_again(connection)

    assert join(desk, chat, after_seq=0)["type"] == "chat.joined"
    assert phone.answer(speech(chat))["type"] == "chat.sent"
    assert desk.until("chat.message")["content"] == "Good morning"


def connect_again(connection: Connection) -> None:
    connect(
        actor=connection.patient,
        doctor_id=connection.doctor_id,
        origin=Connection.Origin.QR,
    )


def test_session_that_ended_says_and_hears_nothing(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    session = sign_in(doctor)
    desk = connect(on=1, **bearer(access_token(session)))
    join(desk, chat)

    revoke_session(actor=doctor, session_id=session.pk)
    say(chat, patient, "Not for this device")

    kinds = [frame["type"] for frame in frames_to_the_end(desk)]
    assert kinds == ["session.ended"]


def frames_to_the_end(one: Socket) -> list[dict[str, Any]]:
    frames = []
    while data := one.raw.recv():
        frames.append(json.loads(data))
    return frames


def test_session_whose_end_nobody_was_told_of_says_nothing(
    connect: Connect, chat: Chat, patient: User, doctor: User, settings: Any
) -> None:
    message = say(chat, doctor)
    for number in range(7):
        session = sign_in(doctor)
        desk = connect(**bearer(access_token(session)))
        frame = every_frame(chat, message, patient)[number]
        with nobody_is_told(settings):
            revoke_session(actor=doctor, session_id=session.pk)

        assert desk.answer(frame)["code"] == "session_ended"
        assert desk.closed_with() == close_codes.REVOKED
    assert Message.objects.count() == 1


def test_session_whose_end_nobody_was_told_of_is_found_out_by_a_gap(
    connect: Connect, chat: Chat, patient: User, doctor: User, settings: Any
) -> None:
    session = sign_in(doctor)
    desk = connect(**bearer(access_token(session)))
    join(desk, chat)

    with nobody_is_told(settings):
        revoke_session(actor=doctor, session_id=session.pk)
        say(chat, patient, "Lost")
    say(chat, patient, "Not for this device")

    kinds = [frame["type"] for frame in frames_to_the_end(desk)]
    assert set(kinds) <= {"chat.activity"}


def test_suspended_user_says_and_hears_nothing(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    desk, phone = connect(doctor, on=1), connect(patient)
    join(desk, chat)
    join(phone, chat)

    suspend_user(session=sign_in(AdminFactory()), user_id=doctor.pk, reason="A complaint came in.")

    assert desk.closed_with() == close_codes.REVOKED
    refused = phone.answer(speech(chat))
    assert refused["code"] == "doctor_not_available"
    assert not Message.objects.exists()


def test_suspension_that_only_the_table_knows_counts_as_well(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    message = say(chat, doctor)
    for frame in every_frame(chat, message, patient):
        User.objects.filter(pk=doctor.pk).update(status=Status.ACTIVE)
        desk = connect(doctor)
        User.objects.filter(pk=doctor.pk).update(status=Status.SUSPENDED)

        assert desk.answer(frame)["code"] == "session_ended"
    assert Message.objects.count() == 1
    assert DeviceSession.objects.filter(user=doctor, revoked_at=None).exists()


def test_who_joins_again_learns_of_the_other_what_was_so_when_they_parted(
    connect: Connect, chat: Chat, connection: Connection
) -> None:
    say(chat, connection.doctor)
    end_connection(actor=connection.patient, connection_id=connection.pk)
    mark_read(actor=connection.patient, chat_id=chat.pk, seq=1)
    connect_again(connection)

    seen = [join(connect(one), chat)["places"] for one in (connection.doctor, connection.patient)]

    theirs = str(connection.patient_id)
    assert [one[theirs] for one in seen] == [
        {"delivered": 0, "read": 0},
        {"delivered": 1, "read": 1},
    ]


def test_places_after_parting_tell_the_other_side_nothing(
    connect: Connect, chat: Chat, connection: Connection
) -> None:
    say(chat, connection.patient)
    phone, desk = connect(connection.patient), connect(connection.doctor)
    join(phone, chat)
    end_connection(actor=connection.patient, connection_id=connection.pk)
    phone.until("chat.left")

    for kind in ("chat.read", "chat.delivered"):
        desk.answer(places(kind, chat))

    assert [frame["type"] for frame in phone.heard(0.3) if frame["type"].startswith("chat.")] == []
    doctors = Participant.objects.get(user=connection.doctor)
    assert doctors.last_read_seq <= 1
