"""Reading a chat: forwards, backwards, by words, and by whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from chat.models import Chat
from chat.services.messages import retract_message
from chat.tests.factories import say
from connections.services.connections import end_connection
from medisync.tests.client import api_client

pytestmark = pytest.mark.django_db


def read(chat: Chat, user: User, query: str = "") -> dict[str, Any]:
    answer = api_client(user).get(f"/api/v1/chat/{chat.pk}/messages{query}")
    assert answer.status_code == 200, answer.json()
    return answer.json()  # type: ignore[no-any-return]


def numbers(page: dict[str, Any]) -> list[int]:
    return [entry["seq"] for entry in page["results"]]


@pytest.fixture
def seven(chat: Chat, patient: User, doctor: User) -> Chat:
    """Seven entries, of which the fourth withdraws the third."""
    for number in (1, 2, 3):
        said = say(chat, patient, f"Number {number}")
    retract_message(actor=patient, message_id=said.pk)
    for number in (5, 6, 7):
        say(chat, doctor, f"Number {number}")
    return chat


def test_newest_messages_come_in_their_order(seven: Chat, patient: User) -> None:
    page = read(seven, patient, "?limit=3")

    assert (numbers(page), page["has_more"]) == ([5, 6, 7], True)


def test_backwards_to_the_beginning_by_next(seven: Chat, patient: User) -> None:
    page, found = read(seven, patient, "?limit=3"), []
    client = api_client(patient)
    while True:
        found = numbers(page) + found
        if page["next"] is None:
            break
        page = client.get(page["next"]).json()

    # The fourth is no message.
    assert (found, page["has_more"]) == ([1, 2, 3, 5, 6, 7], False)


def test_forwards_from_what_was_seen_last_nothing_is_missed(seven: Chat, patient: User) -> None:
    page, found = read(seven, patient, "?after_seq=1&limit=2"), []
    client = api_client(patient)
    while True:
        found += numbers(page)
        if page["next"] is None:
            break
        page = client.get(page["next"]).json()

    assert found == [2, 3, 4, 5, 6, 7]


def test_where_nothing_came_since_nothing_is_given(seven: Chat, patient: User) -> None:
    assert read(seven, patient, "?after_seq=7") == {
        "results": [],
        "has_more": False,
        "next": None,
    }
    assert read(seven, patient, "?before_seq=1")["results"] == []


@pytest.mark.parametrize(
    "query",
    [
        "?after_seq=-1", "?after_seq=x", "?after_seq=9007199254740992", "?before_seq=0",
        "?limit=0", "?limit=101", "?limit=x", "?after_seq=1&before_seq=3", "?after_seq=1&q=word",
        "?after=3", "?q=%00", "?q=" + "x" * 101,
    ],
)  # fmt: skip
def test_question_that_cannot_be_understood_is_refused(
    chat: Chat, patient: User, query: str
) -> None:
    answer = api_client(patient).get(f"/api/v1/chat/{chat.pk}/messages{query}")

    assert answer.status_code == 400


class TestSearch:
    @pytest.mark.parametrize(
        ("said", "asked"),
        [
            ("أخذت الدواء إلى المستشفى", "اخذت"),
            ("اخذت الدواء الى المستشفي", "إلى المستشفى"),
            ("مُؤَكَّد", "موكد"),
            ("حالة جيدة", "حاله"),
            ("الجرعة ٥٠٠ مجم", "500"),
            ("Café au lait", "cafe"),
            ("Take PARACETAMOL twice", "paracetamol twice"),
            ("It costs 100% of it", "100%"),
            ("snake_case", "snake_case"),
        ],
    )
    def test_words_are_found_however_they_are_written(
        self, chat: Chat, patient: User, said: str, asked: str
    ) -> None:
        say(chat, patient, said)
        say(chat, patient, "Nothing of it")

        page = read(chat, patient, f"?q={asked.replace('%', '%25')}")

        assert [entry["content"] for entry in page["results"]] == [said]

    @pytest.mark.parametrize("asked", ["zzz", "...", "%25", "_", "\u064b"])
    def test_what_is_not_there_is_not_found(self, chat: Chat, patient: User, asked: str) -> None:
        say(chat, patient, "Good morning")

        assert read(chat, patient, f"?q={asked}")["results"] == []

    def test_withdrawn_words_are_not_found(self, chat: Chat, patient: User) -> None:
        said = say(chat, patient, "My secret")
        retract_message(actor=patient, message_id=said.pk)

        assert read(chat, patient, "?q=secret")["results"] == []

    def test_backwards_by_next(self, chat: Chat, patient: User) -> None:
        for number in range(4):
            say(chat, patient, f"Fever {number}" if number % 2 else "Cough")

        page = read(chat, patient, "?q=fever&limit=1")

        assert numbers(page) == [4]
        assert numbers(api_client(patient).get(page["next"]).json()) == [2]


class TestAfterTheEnd:
    @pytest.fixture(autouse=True)
    def _ended(self, seven: Chat, patient: User) -> None:
        end_connection(actor=patient, connection_id=seven.connection_id)

    def test_patient_reads_all(self, seven: Chat, patient: User) -> None:
        assert numbers(read(seven, patient, "?after_seq=0")) == [1, 2, 3, 4, 5, 6, 7]

    def test_doctor_reads_what_they_wrote(self, seven: Chat, doctor: User) -> None:
        assert numbers(read(seven, doctor, "?after_seq=0")) == [5, 6, 7]
        assert read(seven, doctor, "?q=number+2")["results"] == []

    def test_doctors_list_shows_no_word_of_the_patient(self, seven: Chat, doctor: User) -> None:
        chat = api_client(doctor).get("/api/v1/chat").json()["results"][0]

        assert chat["last_message"]["seq"] == 7


def test_after_the_end_a_doctor_who_never_wrote_sees_no_word(
    chat: Chat, patient: User, doctor: User
) -> None:
    say(chat, patient, "My secret")
    end_connection(actor=patient, connection_id=chat.connection_id)

    answer = api_client(doctor).get("/api/v1/chat")

    assert answer.json()["results"][0]["last_message"] is None
    assert b"My secret" not in answer.content


def test_nobody_else_reads(chat: Chat, stranger: User, other_doctor: User, admin: User) -> None:
    for person in (stranger, other_doctor, admin):
        answer = api_client(person).get(f"/api/v1/chat/{chat.pk}/messages")
        assert answer.status_code == 404


def test_questions_do_not_grow_with_the_entries(chat: Chat, patient: User, doctor: User) -> None:
    def asked() -> dict[str, int]:
        client, counted = api_client(doctor), {}
        for path in (f"{chat.pk}/messages", f"{chat.pk}/unread/count", "unread/count"):
            with CaptureQueriesContext(database) as queries:
                assert client.get(f"/api/v1/chat/{path}").status_code == 200
            counted[path.rpartition("/")[2] + path[:6]] = len(queries)
        return counted

    say(chat, patient)
    few = asked()
    for number in range(12):
        said = say(chat, patient if number % 3 else doctor)
        if number % 2:
            retract_message(actor=said.sender, message_id=said.pk)

    assert asked() == few
    assert max(few.values()) <= 8
