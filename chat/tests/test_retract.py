"""Withdrawing what one has said."""

from __future__ import annotations

from uuid import uuid4

import pytest

from accounts.models import User
from chat.live import entry_frame
from chat.models import Chat, Message
from chat.services.messages import retract_message
from chat.tests.factories import say
from connections.services.connections import end_connection
from medisync.tests.client import api_client

pytestmark = pytest.mark.django_db


def url(message: Message) -> str:
    return f"/api/v1/chat/messages/{message.pk}"


def test_both_see_that_something_was_said_and_not_what(
    chat: Chat, patient: User, doctor: User
) -> None:
    said = say(chat, patient, "My secret")

    answer = api_client(patient).delete(url(said))

    assert answer.status_code == 204
    for person in (patient, doctor):
        page = api_client(person).get(f"/api/v1/chat/{chat.pk}/messages")
        [seen] = page.json()["results"]
        assert (seen["is_retracted"], seen["content"]) == (True, "")
        assert b"My secret" not in page.content


def test_who_was_away_learns_of_it_in_its_turn(chat: Chat, patient: User, doctor: User) -> None:
    said = say(chat, patient, "My secret")
    say(chat, doctor, "Yes?")
    api_client(patient).delete(url(said))

    missed = api_client(doctor).get(f"/api/v1/chat/{chat.pk}/messages?after_seq=1").json()

    assert [(entry["seq"], entry["kind"]) for entry in missed["results"]] == [
        (2, "MESSAGE"),
        (3, "RETRACTION"),
    ]
    assert missed["results"][1]["message_id"] == str(said.pk)


def test_frame_of_a_withdrawn_message_has_no_words(chat: Chat, patient: User) -> None:
    said = say(chat, patient, "My secret")
    entry = retract_message(actor=patient, message_id=said.pk)

    seen = Message.objects.with_details().get(pk=said.pk)

    assert entry_frame(seen)["content"] == ""
    assert entry_frame(entry) == {
        "type": "chat.retracted",
        "chat_id": str(chat.pk),
        "seq": 2,
        "message_id": str(said.pk),
    }


def test_words_stay_in_the_record(chat: Chat, patient: User) -> None:
    said = say(chat, patient, "My secret")
    api_client(patient).delete(url(said))

    assert Message.objects.get(pk=said.pk).content == "My secret"


def test_it_is_withdrawn_once(chat: Chat, patient: User) -> None:
    said, client = say(chat, patient), api_client(patient)
    client.delete(url(said))

    answer = client.delete(url(said))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "already_retracted")


def test_withdrawal_is_not_withdrawn(chat: Chat, patient: User) -> None:
    said = say(chat, patient)
    entry = retract_message(actor=patient, message_id=said.pk)

    assert api_client(patient).delete(url(entry)).status_code == 409


def test_only_who_said_it_withdraws_it(
    chat: Chat, patient: User, doctor: User, stranger: User
) -> None:
    said = say(chat, patient)

    assert api_client(doctor).delete(url(said)).status_code == 403
    assert api_client(stranger).delete(url(said)).status_code == 404
    assert api_client(patient).delete(f"/api/v1/chat/messages/{uuid4()}").status_code == 404


def test_nothing_is_withdrawn_after_the_end(chat: Chat, patient: User) -> None:
    said = say(chat, patient)
    end_connection(actor=patient, connection_id=chat.connection_id)

    answer = api_client(patient).delete(url(said))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "connection_ended")
