"""What the database holds about chats, whoever writes."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, IntegrityError, transaction
from django.db import connection as database

from accounts.models import User
from chat.models import Chat, Message, Participant
from chat.services.messages import retract_message
from chat.tests.factories import say
from connections.models import Connection
from connections.services.connections import end_connection
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db


def write(chat: Chat, **changes: Any) -> Message:
    """A row as somebody would make it who knows no service."""
    known = {
        "chat": chat,
        "sender": chat.connection.patient,
        "seq": chat.last_seq + 1,
        "client_id": uuid4(),
        "content": "Good morning",
    } | changes
    Chat.objects.filter(pk=chat.pk).update(last_seq=known["seq"])
    return Message.objects.create(**known)


def test_connection_has_one_chat(chat: Chat) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Chat.objects.create(connection=chat.connection)


def test_number_is_not_left_out(chat: Chat) -> None:
    with pytest.raises(DatabaseError, match="without a gap"), transaction.atomic():
        Chat.objects.filter(pk=chat.pk).update(last_seq=2)


def test_number_is_not_taken_back(chat: Chat) -> None:
    say(chat, chat.connection.patient)

    with pytest.raises(DatabaseError, match="without a gap"), transaction.atomic():
        Chat.objects.filter(pk=chat.pk).update(last_seq=0)


def test_number_without_an_entry_is_refused_at_commit(chat: Chat) -> None:
    with pytest.raises(DatabaseError, match="belongs to an entry"), transaction.atomic():
        Chat.objects.filter(pk=chat.pk).update(last_seq=1)
        with database.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_entry_takes_the_next_number(chat: Chat) -> None:
    write(chat)

    with pytest.raises(DatabaseError, match="next number"), transaction.atomic():
        Message.objects.create(
            chat=chat, sender=chat.connection.patient, seq=2, client_id=uuid4(), content="Again"
        )


def test_number_is_taken_once(chat: Chat) -> None:
    write(chat)

    with pytest.raises(IntegrityError, match="message_seq_in_chat"), transaction.atomic():
        write(chat, seq=1)


def test_stranger_is_not_a_sender(chat: Chat, stranger: User) -> None:
    with pytest.raises(DatabaseError, match="one of the two"), transaction.atomic():
        write(chat, sender=stranger)


def test_message_of_one_device_arrives_once(chat: Chat) -> None:
    client_id = uuid4()
    write(chat, client_id=client_id)
    chat.refresh_from_db()

    with pytest.raises(IntegrityError, match="message_sent_once"), transaction.atomic():
        write(chat, client_id=client_id)


def test_two_people_may_draw_the_same_client_id(chat: Chat) -> None:
    client_id = uuid4()
    write(chat, client_id=client_id)
    chat.refresh_from_db()

    second = write(chat, client_id=client_id, sender=chat.connection.doctor)

    assert second.seq == 2


def test_message_says_something(chat: Chat) -> None:
    with pytest.raises(IntegrityError, match="message_or_retraction"), transaction.atomic():
        write(chat, content="")


@pytest.mark.parametrize("change", [{"content": "Other words"}, {"seq": 7}, {"target": None}])
def test_entry_is_never_edited(chat: Chat, change: dict[str, Any]) -> None:
    message = say(chat, chat.connection.patient)

    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(**change)


def test_entry_is_never_deleted(chat: Chat) -> None:
    message = say(chat, chat.connection.patient)

    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        Message.objects.filter(pk=message.pk).delete()


def test_nobody_withdraws_what_another_said(chat: Chat) -> None:
    said = say(chat, chat.connection.patient)
    chat.refresh_from_db()

    with pytest.raises(DatabaseError, match="withdraws it"), transaction.atomic():
        write(
            chat,
            sender=chat.connection.doctor,
            kind=Message.Kind.RETRACTION,
            target=said,
            content="",
        )


def test_message_is_withdrawn_once(chat: Chat) -> None:
    said = say(chat, chat.connection.patient)
    retract_message(actor=chat.connection.patient, message_id=said.pk)
    chat.refresh_from_db()

    with pytest.raises(IntegrityError), transaction.atomic():
        write(chat, kind=Message.Kind.RETRACTION, target=said, content="")


def test_prescription_of_another_patient_is_not_mentioned(
    chat: Chat, connection: Connection, stranger: User
) -> None:
    theirs = Connection.objects.create(
        patient=stranger,
        doctor=connection.doctor,
        status=Connection.Status.ACTIVE,
        origin=Connection.Origin.QR,
        connected_at=connection.connected_at,
    )
    prescription = issue(theirs)

    with pytest.raises(DatabaseError, match="mentioned"), transaction.atomic():
        write(chat, prescription=prescription)


def test_place_never_goes_back(chat: Chat) -> None:
    say(chat, chat.connection.patient)
    place = Participant.objects.filter(chat=chat, user=chat.connection.doctor)
    place.update(last_delivered_seq=1, last_read_seq=1)

    with pytest.raises(DatabaseError, match="stays read"), transaction.atomic():
        place.update(last_read_seq=0)


def test_what_is_read_has_arrived(chat: Chat) -> None:
    place = Participant.objects.filter(chat=chat, user=chat.connection.doctor)

    with pytest.raises(IntegrityError, match="reads_what_arrived"), transaction.atomic():
        place.update(last_read_seq=1)


class TestWhoReads:
    @pytest.fixture
    def said(self, chat: Chat) -> dict[str, Message]:
        pair = chat.connection
        return {"patient": say(chat, pair.patient), "doctor": say(chat, pair.doctor)}

    def test_the_two_read_all(self, said: dict[str, Message], patient: User, doctor: User) -> None:
        for person in (patient, doctor):
            assert set(Message.objects.visible_to(person)) == set(said.values())

    def test_nobody_else_reads_any(
        self, said: dict[str, Message], stranger: User, other_doctor: User, admin: User
    ) -> None:
        for person in (stranger, other_doctor, admin, AnonymousUser()):
            assert not Message.objects.visible_to(person).exists()

    def test_after_the_end_patients_keep_everything_and_doctors_their_own(
        self, chat: Chat, said: dict[str, Message], patient: User, doctor: User
    ) -> None:
        end_connection(actor=patient, connection_id=chat.connection_id)

        assert set(Message.objects.visible_to(patient)) == set(said.values())
        assert set(Message.objects.visible_to(doctor)) == {said["doctor"]}
