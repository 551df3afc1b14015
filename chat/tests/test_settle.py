"""Since when a patient waits for an answer, and that none is needed."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import Status, User
from chat.models import Chat
from chat.services.messages import retract_message
from chat.tests.factories import say
from connections.services.connections import end_connection
from medisync.tests.client import api_client

pytestmark = pytest.mark.django_db


def url(chat: Chat) -> str:
    return f"/api/v1/chat/{chat.pk}/settle"


def waiting(chat: Chat) -> dt.datetime | None:
    return Chat.objects.get(pk=chat.pk).awaiting_since


def test_first_of_the_patients_messages_begins_to_wait(
    chat: Chat, patient: User, doctor: User
) -> None:
    say(chat, doctor, "How are you?")
    assert waiting(chat) is None

    first = say(chat, patient)
    say(chat, patient)

    assert waiting(chat) == first.created_at


def test_doctors_message_answers(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, patient)
    say(chat, doctor)

    assert waiting(chat) is None


def test_settled_needs_no_answer_and_what_comes_next_does(
    chat: Chat, patient: User, doctor: User
) -> None:
    say(chat, patient, "Thank you!")

    answer = api_client(doctor).put(url(chat))

    assert (answer.status_code, answer.json()["awaiting_since"]) == (200, None)
    assert waiting(chat) is None
    again = say(chat, patient, "One more thing")
    assert waiting(chat) == again.created_at


class TestAfterAWithdrawal:
    def test_of_all_the_patient_asked_nobody_waits(self, chat: Chat, patient: User) -> None:
        said = say(chat, patient)
        retract_message(actor=patient, message_id=said.pk)

        assert waiting(chat) is None

    def test_of_the_first_the_second_waits(self, chat: Chat, patient: User) -> None:
        first, second = say(chat, patient), say(chat, patient)
        retract_message(actor=patient, message_id=first.pk)

        assert waiting(chat) == second.created_at

    def test_of_the_answer_the_patient_waits_again(
        self, chat: Chat, patient: User, doctor: User
    ) -> None:
        asked, answer = say(chat, patient), say(chat, doctor)
        retract_message(actor=doctor, message_id=answer.pk)

        assert waiting(chat) == asked.created_at

    def test_what_was_settled_stays_so(self, chat: Chat, patient: User, doctor: User) -> None:
        say(chat, patient)
        api_client(doctor).put(url(chat))
        answer = say(chat, doctor)
        retract_message(actor=doctor, message_id=answer.pk)

        assert waiting(chat) is None


def test_only_the_doctor_settles(chat: Chat, patient: User, other_doctor: User) -> None:
    say(chat, patient)

    assert api_client(patient).put(url(chat)).status_code == 403
    assert api_client(other_doctor).put(url(chat)).status_code == 404


def test_where_nobody_waits_there_is_nothing_to_settle(chat: Chat, doctor: User) -> None:
    answer = api_client(doctor).put(url(chat))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "nothing_awaited")


def test_nothing_is_settled_after_the_end(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, patient)
    end_connection(actor=patient, connection_id=chat.connection_id)

    answer = api_client(doctor).put(url(chat))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "connection_ended")


def test_what_no_answer_reaches_can_be_settled(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, patient)
    User.objects.filter(pk=patient.pk).update(status=Status.SUSPENDED)

    assert api_client(doctor).put(url(chat)).status_code == 200
