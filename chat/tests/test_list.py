"""Everybody's list of chats."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import User
from accounts.tests.factories import PatientFactory
from chat.models import Chat
from chat.tests.factories import chat_of, say
from connections.models import Connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client

pytestmark = pytest.mark.django_db
URL = "/api/v1/chat"


def names(user: User, query: str = "") -> list[str]:
    answer = api_client(user).get(URL + query)
    assert answer.status_code == 200, answer.json()
    return [chat["patient"]["first_name"] for chat in answer.json()["results"]]


@pytest.fixture
def three(doctor: User) -> dict[str, Chat]:
    """A doctor's chats, opened in this order."""
    return {
        name: chat_of(ConnectionFactory(doctor=doctor, patient=PatientFactory(first_name=name)))
        for name in ("Amal", "Basma", "Celia")
    }


def test_chat_tells_who_and_how_it_stands(connection: Connection) -> None:
    chat = chat_of(connection)
    said = say(chat, connection.patient, "It hurts again")

    [told] = api_client(connection.doctor).get(URL).json()["results"]

    chat.refresh_from_db()
    assert told["id"] == str(chat.pk)
    assert told["connection_id"] == str(connection.pk)
    assert told["patient"]["display_name"] == connection.patient.display_name
    assert told["doctor"]["specialization"]
    assert (told["status"], told["can_send"]) == ("ACTIVE", True)
    assert (told["last_seq"], told["unread_count"]) == (1, 1)
    assert told["last_message"]["id"] == str(said.pk)
    assert told["last_message"]["content"] == "It hurts again"
    assert dt.datetime.fromisoformat(told["awaiting_since"]) == chat.awaiting_since
    assert {place["user_id"]: place["read_seq"] for place in told["places"]} == {
        str(connection.patient_id): 0,
        str(connection.doctor_id): 0,
    }
