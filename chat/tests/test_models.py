"""What the database holds about chats."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from accounts.models import User
from chat.models import Chat, Message
from connections.models import Connection
from connections.services.connections import end_connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat(connection: Connection) -> Chat:
    return Chat.objects.create(connection=connection)


def write(chat: Chat, **changes: Any) -> Message:
    known = {
        "chat": chat,
        "sender": chat.connection.patient,
        "seq": 1,
        "client_id": uuid4(),
        "content": "Good morning",
    }
    return Message.objects.create(**known | changes)


def test_connection_has_one_chat(chat: Chat) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Chat.objects.create(connection=chat.connection)


def test_place_in_a_chat_is_taken_once(chat: Chat) -> None:
    write(chat)

    with pytest.raises(IntegrityError, match="message_seq_in_chat"), transaction.atomic():
        write(chat)


def test_message_of_one_device_arrives_once(chat: Chat) -> None:
    client_id = uuid4()
    write(chat, client_id=client_id)

    with pytest.raises(IntegrityError, match="message_sent_once"), transaction.atomic():
        write(chat, client_id=client_id, seq=2)


def test_two_people_may_draw_the_same_client_id(chat: Chat) -> None:
    client_id = UUID(int=7)
    write(chat, client_id=client_id)

    write(chat, client_id=client_id, seq=2, sender=chat.connection.doctor)

    assert Message.objects.count() == 2


@pytest.mark.parametrize("seq", [0, -1])
def test_numbering_begins_with_one(chat: Chat, seq: int) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write(chat, seq=seq)


def test_only_the_two_sides_see_it(
    chat: Chat, stranger: User, other_doctor: User, admin: User
) -> None:
    write(chat)
    sides = (chat.connection.patient, chat.connection.doctor)

    for user in sides:
        assert Chat.objects.visible_to(user).count() == 1
        assert Message.objects.visible_to(user).count() == 1
    for user in (stranger, other_doctor, admin, AnonymousUser()):
        assert not Chat.objects.visible_to(user).exists()
        assert not Message.objects.visible_to(user).exists()


def test_both_keep_reading_after_parting(chat: Chat) -> None:
    write(chat)
    end_connection(actor=chat.connection.doctor, connection_id=chat.connection_id)

    assert Message.objects.visible_to(chat.connection.doctor).count() == 1
