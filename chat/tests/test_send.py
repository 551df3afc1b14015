"""Saying something."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Status, User
from accounts.policies import AccountNotActive
from chat.models import Chat, Message
from chat.services import messages
from chat.services.messages import retract_message
from chat.tests.factories import chat_of, place_of, say
from connections.models import Connection, DataCategory
from connections.services.connections import block, end_connection
from connections.services.grants import Sharing, set_grant
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
URL = "/api/v1/chat/messages"


def body(chat: Chat, **changes: Any) -> dict[str, Any]:
    said = {"chat_id": str(chat.pk), "client_id": str(uuid4()), "content": "Good morning"}
    return said | changes


def refusal(answer: Any) -> tuple[int, str, str | None]:
    [error] = answer.json()["errors"]
    return answer.status_code, error["code"], error["attr"]


def test_other_side_reads_it(chat: Chat, patient: User, doctor: User) -> None:
    sent = body(chat, content="  Good morning,\n\tdoctor. 🙂 ")

    answer = api_client(patient).post(URL, sent)

    [read] = api_client(doctor).get(f"/api/v1/chat/{chat.pk}/messages").json()["results"]
    assert answer.status_code == 201
    assert read == answer.json()
    assert read["content"] == "Good morning,\n\tdoctor. 🙂"
    assert (read["seq"], read["client_id"]) == (1, sent["client_id"])
    assert (read["sender_id"], read["kind"]) == (str(patient.pk), "MESSAGE")


def test_sent_again_it_is_the_first(chat: Chat, patient: User) -> None:
    sent, client = body(chat), api_client(patient)

    first, again = client.post(URL, sent), client.post(URL, sent)

    assert first.json() == again.json()
    assert again.status_code == 201
    assert Message.objects.count() == 1


def test_sent_again_after_the_end_it_is_the_first(chat: Chat, patient: User) -> None:
    """The answer was lost, and meanwhile they parted: the message is kept all the same."""
    sent, client = body(chat), api_client(patient)
    first = client.post(URL, sent)
    end_connection(actor=patient, connection_id=chat.connection_id)

    assert client.post(URL, sent).json() == first.json()


def test_sent_again_after_it_was_withdrawn_it_stays_withdrawn(chat: Chat, patient: User) -> None:
    sent, client = body(chat), api_client(patient)
    said = client.post(URL, sent).json()
    retract_message(actor=patient, message_id=said["id"])

    again = client.post(URL, sent).json()

    assert (again["id"], again["is_retracted"], again["content"]) == (said["id"], True, "")


def test_other_words_under_the_same_id_are_refused(chat: Chat, patient: User) -> None:
    sent, client = body(chat), api_client(patient)
    client.post(URL, sent)

    answer = client.post(URL, sent | {"content": "Something else"})

    assert refusal(answer) == (409, "client_id_used", "client_id")


def test_same_words_in_another_chat_under_the_same_id_are_refused(
    chat: Chat, patient: User
) -> None:
    sent, client = body(chat), api_client(patient)
    client.post(URL, sent)
    other = chat_of(ConnectionFactory(patient=patient))

    answer = client.post(URL, sent | {"chat_id": str(other.pk)})

    assert refusal(answer) == (409, "client_id_used", "client_id")
    assert not Message.objects.filter(chat=other).exists()


@pytest.mark.parametrize(
    ("changes", "attr"),
    [
        ({"content": ""}, "content"),
        ({"content": " \n "}, "content"),
        ({"content": "\u200b"}, "content"),
        ({"content": "x" * 5001}, "content"),
        ({"content": "Take \u202e5 tablets"}, "content"),
        ({"content": "a\x00b"}, "content"),
        ({"content": 7}, "content"),
        ({"content": None}, "content"),
        ({"client_id": "1"}, "client_id"),
        ({"chat_id": None}, "chat_id"),
        ({"prescription_id": "x"}, "prescription_id"),
        ({"attachments": []}, "attachments"),
    ],
    ids=str,
)
def test_what_is_no_message_is_refused(
    chat: Chat, patient: User, changes: dict[str, Any], attr: str
) -> None:
    answer = api_client(patient).post(URL, body(chat, **changes))

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, attr)
    assert not Message.objects.exists()


def test_longest_message_is_sent(chat: Chat, patient: User) -> None:
    longest = "م" * 5000

    answer = api_client(patient).post(URL, body(chat, content=longest + " "))

    assert answer.json()["content"] == longest


class TestRate:
    @pytest.fixture(autouse=True)
    def _fewer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(messages, "MOST_A_MINUTE", 3)

    def test_whoever_says_too_much_is_told_how_long_to_wait(
        self, chat: Chat, patient: User, doctor: User
    ) -> None:
        now = timezone.now().replace(microsecond=0)
        client = api_client(patient)
        for second in (0, 10, 20):
            with time_machine.travel(now + dt.timedelta(seconds=second), tick=False):
                assert client.post(URL, body(chat)).status_code == 201

        with time_machine.travel(now + dt.timedelta(seconds=40), tick=False):
            answer = client.post(URL, body(chat))
            of_the_other = api_client(doctor).post(URL, body(chat))
        with time_machine.travel(now + dt.timedelta(seconds=60), tick=False):
            after = client.post(URL, body(chat))

        assert refusal(answer) == (429, "throttled", None)
        assert answer["Retry-After"] == "20"
        assert (of_the_other.status_code, after.status_code) == (201, 201)

    def test_sending_again_is_not_counted(self, chat: Chat, patient: User) -> None:
        sent, client = body(chat), api_client(patient)
        for _ in range(3):
            client.post(URL, body(chat))
        say(chat, chat.connection.doctor)

        assert client.post(URL, sent).status_code == 429
        known = Message.objects.filter(sender=patient).earliest("seq")
        again = client.post(URL, body(chat, client_id=str(known.client_id), content=known.content))

        assert (again.status_code, again.json()["id"]) == (201, str(known.pk))


def test_default_rate_is_sixty_a_minute(chat: Chat, patient: User) -> None:
    for _ in range(60):
        say(chat, patient)

    answer = api_client(patient).post(URL, body(chat))

    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60


@pytest.mark.parametrize("who", ["patient", "doctor"])
def test_nothing_is_said_after_the_end(chat: Chat, who: str) -> None:
    sender = getattr(chat.connection, who)
    end_connection(actor=sender, connection_id=chat.connection_id)

    assert refusal(api_client(sender).post(URL, body(chat)))[:2] == (409, "connection_ended")


@pytest.mark.parametrize("who", ["patient", "doctor"])
def test_nothing_is_said_past_a_block_which_is_not_told(chat: Chat, who: str) -> None:
    blocker, other = chat.connection.patient, chat.connection.doctor
    block(actor=blocker, person_id=other.pk)
    sender = getattr(chat.connection, who)

    assert refusal(api_client(sender).post(URL, body(chat)))[:2] == (409, "connection_ended")


@pytest.mark.parametrize(
    ("closed", "sender", "code"),
    [("doctor", "patient", "doctor_not_available"), ("patient", "doctor", "patient_not_available")],
)
def test_nothing_is_said_to_a_closed_account(
    chat: Chat, closed: str, sender: str, code: str
) -> None:
    User.objects.filter(pk=getattr(chat, f"{closed}_id")).update(status=Status.SUSPENDED)

    answer = api_client(getattr(chat.connection, sender)).post(URL, body(chat))

    assert refusal(answer)[:2] == (409, code)


def test_suspended_person_whose_socket_is_still_open_says_nothing(
    chat: Chat, patient: User
) -> None:
    """The service asks the table, not the object that a socket has kept."""
    User.objects.filter(pk=patient.pk).update(status=Status.SUSPENDED)

    with pytest.raises(AccountNotActive):
        say(chat, patient)

    assert not Message.objects.exists()


def test_nobody_else_says_anything(chat: Chat, stranger: User, other_doctor: User) -> None:
    for person in (stranger, other_doctor):
        assert api_client(person).post(URL, body(chat)).status_code == 404


class TestMentioning:
    def test_both_may_mention_what_they_may_read(self, chat: Chat) -> None:
        mentioned = issue(chat.connection)
        for person in (chat.connection.patient, chat.connection.doctor):
            sent = body(chat, content="", prescription_id=str(mentioned.pk))
            answer = api_client(person).post(URL, sent)

            assert answer.json()["prescription_id"] == str(mentioned.pk), answer.json()

    def test_doctor_mentions_another_doctors_if_the_patient_lets_them_see_it(
        self, chat: Chat, patient: User, doctor: User, other_doctor: User
    ) -> None:
        theirs = issue(ConnectionFactory(patient=patient, doctor=other_doctor))
        sent = body(chat, prescription_id=str(theirs.pk))

        before = api_client(doctor).post(URL, sent)
        set_grant(
            actor=patient,
            connection_id=chat.connection_id,
            sharing=Sharing(categories=[DataCategory.PRESCRIPTIONS]),
        )
        after = api_client(doctor).post(URL, sent)

        assert refusal(before) == (400, "invalid", "prescription_id")
        assert after.status_code == 201

    def test_mentioned_one_opens_only_for_whoever_may_see_it(
        self, chat: Chat, patient: User, doctor: User, other_doctor: User
    ) -> None:
        theirs = issue(ConnectionFactory(patient=patient, doctor=other_doctor))
        say(chat, patient, prescription_id=theirs.pk)

        [read] = api_client(doctor).get(f"/api/v1/chat/{chat.pk}/messages").json()["results"]

        url = f"/api/v1/prescriptions/{read['prescription_id']}"
        assert api_client(doctor).get(url).status_code == 404
        assert api_client(patient).get(url).status_code == 200

    def test_one_of_another_patient_is_refused(
        self, chat: Chat, doctor: User, stranger: User
    ) -> None:
        theirs = issue(ConnectionFactory(patient=stranger, doctor=doctor))

        answer = api_client(doctor).post(URL, body(chat, prescription_id=str(theirs.pk)))

        assert refusal(answer) == (400, "invalid", "prescription_id")

    def test_other_prescription_under_the_same_id_is_refused(
        self, chat: Chat, patient: User
    ) -> None:
        mentioned = [issue(chat.connection), issue(chat.connection)]
        sent = body(chat, prescription_id=str(mentioned[0].pk))
        api_client(patient).post(URL, sent)

        answer = api_client(patient).post(URL, sent | {"prescription_id": str(mentioned[1].pk)})

        assert refusal(answer)[1] == "client_id_used"


def test_what_one_says_is_nothing_to_read_for_oneself(chat: Chat, patient: User) -> None:
    say(chat, patient)

    assert place_of(chat, patient) == (0, 0, 0)
    counted = api_client(patient).get("/api/v1/chat/unread/count").json()
    assert counted == {"count": 0}


def test_connection_made_again_has_the_chat_it_had(
    chat: Chat, connection: Connection, patient: User, doctor: User
) -> None:
    said = say(chat, patient)
    end_connection(actor=patient, connection_id=connection.pk)
    Connection.objects.filter(pk=connection.pk).update(
        status=Connection.Status.ACTIVE, ended_at=None, ended_by=None
    )

    again = say(chat, doctor)

    assert (said.seq, again.seq) == (1, 2)
