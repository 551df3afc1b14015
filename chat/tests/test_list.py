"""Everybody's list of chats."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import PatientFactory
from chat.models import Chat
from chat.services.chats import settle
from chat.services.help import set_absence
from chat.services.messages import retract_message
from chat.tests.factories import chat_of, say
from connections.models import Connection
from connections.services.connections import block, end_connection, set_availability
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client

pytestmark = pytest.mark.django_db
URL = "/api/v1/chat"
MINUTE = dt.timedelta(minutes=1)


def names(user: User, query: str = "") -> list[str]:
    answer = api_client(user).get(URL + query)
    assert answer.status_code == 200, answer.json()
    return [chat["patient"]["first_name"] for chat in answer.json()["results"]]


def later(minutes: int, chat: Chat, sender: User) -> None:
    with time_machine.travel(timezone.now() + minutes * MINUTE, tick=False):
        say(chat, sender)


@pytest.fixture
def three(doctor: User) -> dict[str, Chat]:
    """A doctor's chats, opened in this order."""
    return {
        name: chat_of(ConnectionFactory(doctor=doctor, patient=PatientFactory(first_name=name)))
        for name in ("Amal", "Basma", "Celia")
    }


def test_chat_tells_who_and_how_it_stands(chat: Chat, patient: User, doctor: User) -> None:
    said = say(chat, patient, "It hurts again")

    [told] = api_client(doctor).get(URL).json()["results"]

    chat.refresh_from_db()
    assert told["id"] == str(chat.pk)
    assert told["connection_id"] == str(chat.connection_id)
    assert told["patient"]["display_name"] == patient.display_name
    assert told["doctor"]["specialization"]
    assert (told["status"], told["can_send"]) == ("ACTIVE", True)
    assert (told["last_seq"], told["unread_count"]) == (1, 1)
    assert told["last_message"]["id"] == str(said.pk)
    assert told["last_message"]["content"] == "It hurts again"
    assert dt.datetime.fromisoformat(told["awaiting_since"]) == chat.awaiting_since
    assert {place["user_id"]: place["read_seq"] for place in told["places"]} == {
        str(patient.pk): 0,
        str(doctor.pk): 0,
    }


def test_patient_reads_when_the_doctor_is_there_and_that_they_are_away(
    chat: Chat, patient: User, doctor: User
) -> None:
    now = timezone.now()
    hours = (dt.time(9), dt.time(17))
    set_availability(actor=doctor, connection_id=chat.connection_id, days=["sun"], hours=hours)
    set_absence(actor=doctor, starts_at=now, ends_at=now + 9 * MINUTE, notice="At a congress.")

    told = api_client(patient).get(f"{URL}/{chat.pk}").json()

    assert (told["available_days"], told["available_hours"]["from"]) == (["sun"], "09:00")
    assert told["away"]["notice"] == "At a congress."
    with time_machine.travel(now + 10 * MINUTE):
        assert api_client(patient).get(f"{URL}/{chat.pk}").json()["away"] is None


@pytest.mark.parametrize("part", ["end", "block"])
def test_notice_is_not_for_those_who_parted(
    chat: Chat, patient: User, doctor: User, part: str
) -> None:
    if part == "end":
        end_connection(actor=doctor, connection_id=chat.connection_id)
    else:
        block(actor=doctor, person_id=patient.pk)
    now = timezone.now()
    set_absence(actor=doctor, starts_at=now, ends_at=now + 9 * MINUTE, notice="At a congress.")

    [told] = api_client(patient).get(URL).json()["results"]

    assert told["away"] is None
    assert api_client(patient).get(f"{URL}/{chat.pk}").json()["away"] is None


def test_withdrawn_message_is_last_without_its_words(
    chat: Chat, patient: User, doctor: User
) -> None:
    said = say(chat, patient, "My secret")
    retract_message(actor=patient, message_id=said.pk)

    answer = api_client(doctor).get(URL)

    [told] = answer.json()["results"]
    assert told["last_message"]["is_retracted"]
    assert told["last_message"]["content"] == ""
    assert told["unread_count"] == 0
    assert b"My secret" not in answer.content


def test_doctor_first_has_those_who_wait_the_longest_first(
    three: dict[str, Chat], doctor: User
) -> None:
    later(1, three["Basma"], three["Basma"].connection.patient)
    later(2, three["Amal"], three["Amal"].connection.patient)
    later(3, three["Basma"], three["Basma"].connection.patient)
    later(4, three["Celia"], doctor)

    assert names(doctor) == ["Basma", "Amal", "Celia"]
    assert names(doctor, "?awaiting=true") == ["Basma", "Amal"]


def test_what_is_answered_or_settled_goes_by_its_last_word(
    three: dict[str, Chat], doctor: User
) -> None:
    for minutes, name in enumerate(three, start=1):
        later(minutes, three[name], three[name].connection.patient)
    later(4, three["Amal"], doctor)
    settle(actor=doctor, chat_id=three["Basma"].pk)

    assert names(doctor) == ["Celia", "Amal", "Basma"]
    assert names(doctor, "?awaiting=true") == ["Celia"]


def test_patient_has_the_last_spoken_in_first(patient: User) -> None:
    chats = [chat_of(ConnectionFactory(patient=patient)) for _ in range(3)]
    later(1, chats[1], chats[1].connection.patient)
    later(2, chats[0], chats[0].connection.doctor)
    later(3, chats[2], chats[2].connection.patient)

    listed = api_client(patient).get(URL).json()["results"]

    assert [chat["id"] for chat in listed] == [str(chats[number].pk) for number in (2, 0, 1)]


def test_where_no_answer_can_be_given_none_is_awaited(three: dict[str, Chat], doctor: User) -> None:
    ended, blocked = three["Amal"], three["Basma"]
    say(ended, ended.connection.patient)
    say(blocked, blocked.connection.patient)
    later(3, three["Celia"], doctor)
    end_connection(actor=doctor, connection_id=ended.connection_id)
    block(actor=blocked.connection.patient, person_id=doctor.pk)

    listed = api_client(doctor).get(URL).json()["results"]

    assert [chat["patient"]["first_name"] for chat in listed] == ["Celia", "Basma", "Amal"]
    assert [chat["awaiting_since"] for chat in listed] == [None] * 3
    # Who is blocked is not told so.
    assert [chat["status"] for chat in listed] == ["ACTIVE", "INACTIVE", "INACTIVE"]
    assert [chat["can_send"] for chat in listed] == [True, False, False]
    assert names(doctor, "?awaiting=true") == []


def test_pages_hold_each_chat_once_whatever_is_the_order(doctor: User) -> None:
    chats = [chat_of(ConnectionFactory(doctor=doctor)) for _ in range(5)]
    now = timezone.now()
    # Some wait, some at one instant; of the others, two were opened at one instant, too.
    Chat.objects.filter(pk__in=[chats[0].pk, chats[1].pk]).update(awaiting_since=now)
    Chat.objects.filter(pk__in=[chats[3].pk, chats[4].pk]).update(active_at=now)
    client, url, found = api_client(doctor), f"{URL}?limit=1", []

    while url:
        page = client.get(url).json()
        found += [chat["id"] for chat in page["results"]]
        last, url = page, page["next"]
    back = client.get(last["previous"]).json()["results"]

    assert sorted(found) == sorted(str(chat.pk) for chat in chats)
    assert set(found[:2]) == {str(chats[0].pk), str(chats[1].pk)}
    assert [chat["id"] for chat in back] == [found[3]]


@pytest.mark.parametrize(
    "query", ["?awaiting=maybe", "?awaitng=true", "?cursor=nonsense", "?cursor=cD1hYmM%3D"]
)
def test_question_that_cannot_be_understood_is_refused(doctor: User, query: str) -> None:
    assert api_client(doctor).get(URL + query).status_code in {400, 404}


def test_strangers_see_none(chat: Chat, stranger: User, other_doctor: User, admin: User) -> None:
    for person in (stranger, other_doctor, admin):
        assert names(person) == []
        assert api_client(person).get(f"{URL}/{chat.pk}").status_code == 404


def test_questions_do_not_grow_with_the_list(doctor: User) -> None:
    def asked(count: int) -> int:
        for _ in range(count):
            connection = ConnectionFactory(doctor=doctor)
            chat = chat_of(connection)
            say(chat, connection.patient)
            say(chat, doctor)
            say(chat, connection.patient)
        client = api_client(doctor)
        with CaptureQueriesContext(
            database,
        ) as queries:
            assert client.get(f"{URL}?limit=100").status_code == 200
        return len(queries)

    few = asked(2)
    assert asked(6) == few <= 8


class TestOpening:
    def url(self, connection: Connection) -> str:
        return f"{URL}/connection/{connection.pk}"

    @pytest.mark.parametrize("who", ["patient", "doctor"])
    def test_either_opens_it_once(self, connection: Connection, who: str) -> None:
        client = api_client(getattr(connection, who))

        first, second = client.post(self.url(connection)), client.post(self.url(connection))

        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json()["id"] == second.json()["id"] == str(Chat.objects.get().pk)
        assert len(first.json()["places"]) == 2

    def test_nobody_else_does(
        self, connection: Connection, stranger: User, other_doctor: User
    ) -> None:
        for person in (stranger, other_doctor):
            assert api_client(person).post(self.url(connection)).status_code == 404

    def test_none_is_made_after_the_end(self, connection: Connection, patient: User) -> None:
        end_connection(actor=patient, connection_id=connection.pk)

        answer = api_client(patient).post(self.url(connection))

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "connection_ended")
        assert not Chat.objects.exists()

    def test_one_that_is_there_opens_after_the_end(self, chat: Chat, patient: User) -> None:
        end_connection(actor=patient, connection_id=chat.connection_id)

        answer = api_client(patient).post(self.url(chat.connection))

        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["can_send"]) == ("INACTIVE", False)
