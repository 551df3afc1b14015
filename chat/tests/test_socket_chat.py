"""Chats on sockets, on two server processes as production runs them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from accounts.models import User
from chat.models import Chat, Message
from chat.models.chats import MOST_SEQ
from chat.services.messages import send_message
from chat.sockets import MOST_JOINED
from chat.tests.factories import chat_of, say
from chat.tests.sockets import (  # noqa: F401 - fixtures
    Connect,
    join,
    nobody_is_told,
    opened_sockets,
    speech,
    two_servers,
)
from common.consumers import BURST
from common.ids import uuid7
from connections.models import Connection
from connections.tests.factories import ConnectionFactory
from medisync.sockets import RECHECK_SECONDS
from medisync.tests.socket_client import Socket
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db(transaction=True)
NOBODYS = "01990000-0000-7000-8000-000000000000"


@pytest.fixture
def chat(connection: Connection) -> Chat:
    return chat_of(connection)


def numbers(frames: list[dict[str, Any]]) -> list[int]:
    return [frame["seq"] for frame in frames if frame["type"] in {"chat.message", "chat.retracted"}]


def write_many(chat: Chat, sender: User, count: int) -> None:
    """Faster than the limit of a person allows: written by both in turns, below it."""
    for number in range(count):
        say(chat, sender, f"Line {number}")


def test_who_joins_learns_how_the_chat_stands(connect: Connect, chat: Chat, patient: User) -> None:
    say(chat, patient)

    joined = join(connect(patient), chat)

    assert joined == {
        "type": "chat.joined", "chat_id": str(chat.pk), "last_seq": 1, "has_more": False,
        "missed": [], "ref": "answer",
        "places": {
            str(chat.patient_id): {"delivered": 0, "read": 0},
            str(chat.doctor_id): {"delivered": 0, "read": 0},
        },
    }  # fmt: skip


def test_message_reaches_both_on_either_server(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    phone, desk = connect(patient, on=0), connect(doctor, on=1)
    join(phone, chat)
    join(desk, chat)
    frame = speech(chat, "Good morning, Doctor")

    sent = phone.answer(frame)

    heard = desk.until("chat.message")
    assert heard == {
        "type": "chat.message", "chat_id": str(chat.pk), "seq": 1, "id": sent["id"],
        "sender_id": str(patient.pk), "client_id": frame["client_id"],
        "content": "Good morning, Doctor", "is_retracted": False, "prescription_id": None,
        "sent_at": sent["sent_at"],
    }  # fmt: skip
    assert sent == {
        "type": "chat.sent", "ref": "answer", "chat_id": str(chat.pk), "seq": 1,
        "id": str(Message.objects.get().pk), "client_id": frame["client_id"],
        "sent_at": sent["sent_at"],
    }  # fmt: skip


def test_sender_hears_it_as_well_on_all_devices_that_joined(
    connect: Connect, chat: Chat, patient: User
) -> None:
    phone, tablet = connect(patient, on=0), connect(patient, on=1)
    join(phone, chat)
    join(tablet, chat)

    phone.send(speech(chat))

    assert phone.until("chat.message") == tablet.until("chat.message")


def test_sending_again_is_harmless(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    phone, desk = connect(patient, on=0), connect(doctor, on=1)
    join(desk, chat)
    frame = speech(chat)

    first = phone.answer(frame)
    again = connect(patient, on=1).answer(frame)

    assert again == first
    assert Message.objects.count() == 1
    assert numbers(desk.heard(0.3, least=1, of="chat.message")) == [1]


def test_other_words_under_the_same_id_are_refused(
    connect: Connect, chat: Chat, patient: User
) -> None:
    phone, frame = connect(patient), speech(chat)
    phone.answer(frame)

    answer = phone.answer(frame | {"content": "Something else"})

    assert (answer["code"], answer["attr"]) == ("client_id_used", "client_id")


def test_prescription_is_mentioned(
    connect: Connect, chat: Chat, patient: User, doctor: User, connection: Connection
) -> None:
    prescription = issue(connection)
    phone, desk = connect(patient), connect(doctor)
    join(phone, chat)

    desk.answer(speech(chat, "", prescription_id=str(prescription.pk)))

    assert phone.until("chat.message")["prescription_id"] == str(prescription.pk)


def test_withdrawal_is_heard_in_its_turn(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    message = say(chat, patient)
    phone, desk = connect(patient), connect(doctor, on=1)
    join(desk, chat)

    sent = phone.answer({"type": "chat.retract", "message_id": str(message.pk)})

    assert (sent["type"], sent["seq"]) == ("chat.sent", 2)
    assert desk.until("chat.retracted") == {
        "type": "chat.retracted", "chat_id": str(chat.pk), "seq": 2, "message_id": str(message.pk),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["chat.read", "chat.delivered"])
def test_places_are_told(
    connect: Connect, chat: Chat, patient: User, doctor: User, kind: str
) -> None:
    say(chat, patient)
    phone, desk = connect(patient), connect(doctor, on=1)
    join(phone, chat)
    place = {
        "type": kind, "chat_id": str(chat.pk), "user_id": str(doctor.pk), "seq": 1,
    }  # fmt: skip

    answer = desk.answer({"type": kind, "chat_id": str(chat.pk), "seq": 7})

    assert answer == place | {"ref": "answer"}
    assert phone.until(kind) == place


def test_both_are_told_that_something_was_said_and_no_word_of_it(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    desk = connect(doctor, on=1)

    say(chat, patient, "My head aches")

    heard = desk.heard(0.3, least=1, of="chat.activity")
    assert heard == [{"type": "chat.activity", "chat_id": str(chat.pk), "last_seq": 1}]


def test_who_was_away_gets_exactly_what_they_missed(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    first = say(chat, patient)
    say(chat, doctor)
    say(chat, patient)

    joined = join(connect(patient), chat, after_seq=first.seq)

    assert numbers(joined["missed"]) == [2, 3]
    assert (joined["last_seq"], joined["has_more"]) == (3, False)


def test_much_is_caught_up_with_step_by_step_and_nothing_comes_before(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    for _ in range(55):
        say(chat, patient)
        say(chat, doctor)
    phone, seen = connect(patient), 0

    first = join(phone, chat, after_seq=seen)
    live = say(chat, doctor)
    between = phone.heard(0.3)
    second = join(phone, chat, after_seq=first["missed"][-1]["seq"])
    after = say(chat, doctor)

    assert (len(first["missed"]), first["has_more"], first["last_seq"]) == (100, True, 110)
    assert numbers(between) == []
    assert numbers(second["missed"]) == [*range(101, live.seq + 1)]
    assert not second["has_more"]
    assert numbers(phone.heard(0.3, least=1, of="chat.message")) == [after.seq]


def test_long_messages_come_in_frames_of_a_bounded_size(
    connect: Connect, chat: Chat, patient: User
) -> None:
    for _ in range(30):
        say(chat, patient, "٣" * 5000)
    phone, seen, rounds = connect(patient), 0, 0

    has_more = True
    while has_more:
        joined = join(phone, chat, after_seq=seen)
        assert len(str(joined)) < 200_000
        seen, has_more, rounds = joined["missed"][-1]["seq"], joined["has_more"], rounds + 1

    assert (seen, rounds) == (30, 2)


def test_number_that_is_not_there_yet_is_taken_for_the_last(
    connect: Connect, chat: Chat, patient: User
) -> None:
    phone = connect(patient)

    joined = join(phone, chat, after_seq=MOST_SEQ)
    say(chat, patient)

    assert (joined["last_seq"], joined["missed"]) == (0, [])
    assert numbers(phone.heard(0.3, least=1, of="chat.message")) == [1]


def test_what_is_said_while_somebody_joins_comes_once_and_in_order(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    phone = connect(patient, on=0)
    writers = [in_thread(lambda who=who: write_many(chat, who, 50)) for who in (patient, doctor)]
    got: list[int] = []

    while any(writer.is_alive() for writer in writers):
        joined = join_again(phone, chat, got)
        got += numbers(joined["missed"])
        assert len(got) == joined["last_seq"] or joined["has_more"]
    got += numbers(phone.heard(0.5))
    got += numbers(join(phone, chat, after_seq=len(got))["missed"])

    assert got == [*range(1, 101)]


def join_again(phone: Socket, chat: Chat, got: list[int]) -> dict[str, Any]:
    """What came before the answer counts as well. The frame is from before it arrived, so the
    answer may have it again."""
    after = len(got)
    phone.send({"type": "chat.join", "chat_id": str(chat.pk), "after_seq": after, "ref": "again"})
    while (frame := phone.receive()).get("ref") != "again":
        numbers([frame])
    return frame


def test_order_holds_whoever_writes_where(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    phone, desk = connect(patient, on=0), connect(doctor, on=1)
    join(phone, chat)
    join(desk, chat)
    senders = [(connect(who, on=on), who) for who in (patient, doctor) for on in (0, 1)]

    threads = [
        in_thread(lambda one=one: [one.answer(speech(chat, str(number))) for number in range(25)])
        for one, _who in senders
    ]
    for thread in threads:
        thread.join()

    for one in (phone, desk):
        assert numbers(one.heard(0.3, least=100, of="chat.message")) == [*range(1, 101)]


def in_thread(act: Callable[[], Any]) -> threading.Thread:
    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_message_that_nobody_was_told_of_comes_before_the_next(
    connect: Connect, chat: Chat, patient: User, doctor: User, settings: Any
) -> None:
    desk = connect(doctor)
    join(desk, chat)

    with nobody_is_told(settings):
        say(chat, patient, "Lost")
        say(chat, patient, "Lost as well")
    assert numbers(desk.heard(0.3)) == []
    say(chat, patient, "Heard")

    heard = desk.heard(0.3, least=3, of="chat.message")
    frames = [frame for frame in heard if frame["type"] == "chat.message"]
    assert [frame["content"] for frame in frames] == ["Lost", "Lost as well", "Heard"]


def test_message_that_nobody_was_told_of_comes_with_a_ping(
    connect: Connect, chat: Chat, patient: User, doctor: User, settings: Any
) -> None:
    desk = connect(doctor)
    join(desk, chat)

    with nobody_is_told(settings):
        say(chat, patient, "Lost")

    desk.heard(5.1)
    assert desk.until("chat.message")["content"] == "Lost"


def test_message_that_nobody_was_told_of_comes_to_a_client_that_asks_nothing(
    connect: Connect, chat: Chat, patient: User, doctor: User, settings: Any
) -> None:
    desk = connect(doctor)
    join(desk, chat)

    with nobody_is_told(settings):
        say(chat, patient, "Lost")
    time.sleep(RECHECK_SECONDS)

    assert desk.until("chat.message")["content"] == "Lost"


@pytest.mark.parametrize(
    ("frame", "attr"),
    [
        ({"chat_id": "x"}, "chat_id"),
        ({"chat_id": None}, "chat_id"),
        ({"chat_id": 7}, "chat_id"),
        ({"client_id": ["x"]}, "client_id"),
        ({"content": None}, "content"),
        ({"content": 7}, "content"),
        ({"content": "a\u0000b"}, "content"),
        ({"content": "  "}, "content"),
        ({"content": "x" * 5001}, "content"),
        ({"prescription_id": "x"}, "prescription_id"),
        ({"prescription_id": NOBODYS}, "prescription_id"),
    ],
    ids=lambda case: str(case)[:40],
)
def test_message_that_cannot_be_is_refused_by_its_field(
    connect: Connect, chat: Chat, patient: User, frame: dict[str, Any], attr: str
) -> None:
    answer = connect(patient).answer(speech(chat) | frame)

    assert (answer["type"], answer["attr"]) == ("error", attr)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "seq", [-1, 1.5, "1", True, None, MOST_SEQ + 1, 2**63, 2**200, [1]], ids=repr
)
@pytest.mark.parametrize("kind", ["chat.read", "chat.delivered"])
def test_place_that_is_no_number_is_refused(
    connect: Connect, chat: Chat, patient: User, kind: str, seq: Any
) -> None:
    answer = connect(patient).answer({"type": kind, "chat_id": str(chat.pk), "seq": seq})

    # A whole number beyond 64 bits is no JSON to us.
    assert answer["type"] == "error"


def test_only_so_many_chats_are_joined(connect: Connect, patient: User, db: None) -> None:
    chats = [chat_of(ConnectionFactory(patient=patient)) for _ in range(MOST_JOINED + 1)]
    phone = connect(patient)

    answers = [join(phone, one)["type"] for one in chats[:-1]]
    refused = join(phone, chats[-1])
    again = join(phone, chats[0])
    phone.answer({"type": "chat.leave", "chat_id": str(chats[0].pk)})

    assert answers == ["chat.joined"] * MOST_JOINED
    assert (refused["code"], again["type"]) == ("too_many_joined", "chat.joined")
    assert join(phone, chats[-1])["type"] == "chat.joined"


def test_chat_that_was_left_is_not_heard(
    connect: Connect, chat: Chat, patient: User, doctor: User
) -> None:
    desk = connect(doctor)
    join(desk, chat)

    left = desk.answer({"type": "chat.leave", "chat_id": str(chat.pk)})
    say(chat, patient)

    assert left == {"type": "chat.left", "chat_id": str(chat.pk), "ref": "answer"}
    assert numbers(desk.heard(0.3)) == []


def test_who_sends_too_many_frames_is_told_to_wait(connect: Connect, patient: User) -> None:
    phone = connect(patient)

    for _ in range(BURST + 30):
        phone.send({"type": "ping"})
    answers = [phone.receive() for _ in range(BURST + 30)]

    refused = [answer for answer in answers if answer["type"] == "error"]
    assert refused
    assert {(answer["code"], answer["retry_after"]) for answer in refused} == {("throttled", 1)}


def test_sixty_messages_a_minute_are_enough(connect: Connect, chat: Chat, patient: User) -> None:
    for _ in range(60):
        send_message(actor=patient, chat_id=chat.pk, client_id=uuid7(), content="Hello")

    answer = connect(patient).answer(speech(chat))

    assert answer["code"] == "throttled"
    assert 1 <= answer["retry_after"] <= 60


def test_error_is_told_in_the_language_of_the_user(connect: Connect, patient: User) -> None:
    User.objects.filter(pk=patient.pk).update(language="ar")

    answer = connect(patient).answer({"type": "nonsense"})

    assert answer["detail"].isascii() is False
