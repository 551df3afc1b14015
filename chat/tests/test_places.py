"""How far the two have come: what arrived, and what was read."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from chat.models import Chat, Message
from chat.models.chats import MOST_SEQ
from chat.services.messages import retract_message
from chat.services.places import mark_delivered, mark_read
from chat.tests.factories import place_of, say
from connections.models import Connection
from connections.services.connections import connect, end_connection
from medisync.tests.client import api_client, page_client

pytestmark = pytest.mark.django_db


def url(chat: Chat, verb: str) -> str:
    return f"/api/v1/chat/{chat.pk}/{verb}"


@pytest.fixture
def five(chat: Chat, patient: User) -> Chat:
    """Five entries, all the patient's."""
    for _ in range(5):
        say(chat, patient)
    return chat


def test_read_up_to_here_has_arrived_too(five: Chat, doctor: User) -> None:
    answer = api_client(doctor).put(url(five, "read"), {"seq": 3})

    assert answer.json() == {"chat_id": str(five.pk), "seq": 3}
    assert place_of(five, doctor) == (3, 3, 0)


def test_delivered_is_not_read(five: Chat, doctor: User) -> None:
    answer = api_client(doctor).put(url(five, "delivered"), {"seq": 4})

    assert answer.json()["seq"] == 4
    assert place_of(five, doctor) == (4, 0, 0)


@pytest.mark.parametrize("verb", ["read", "delivered"])
def test_it_never_goes_back(five: Chat, doctor: User, verb: str) -> None:
    client = api_client(doctor)
    client.put(url(five, verb), {"seq": 4})

    answers = [client.put(url(five, verb), {"seq": seq}).json()["seq"] for seq in (2, 4, 0)]

    assert answers == [4, 4, 4]
    assert place_of(five, doctor)[0] == 4


@pytest.mark.parametrize("verb", ["read", "delivered"])
def test_no_more_is_read_than_there_is(five: Chat, doctor: User, verb: str) -> None:
    answer = api_client(doctor).put(url(five, verb), {"seq": MOST_SEQ})

    assert answer.json()["seq"] == 5
    assert place_of(five, doctor)[0] == 5


@pytest.mark.parametrize("seq", [-1, MOST_SEQ + 1, "x", None, 1.5, True, [1]])
@pytest.mark.parametrize("verb", ["read", "delivered"])
def test_what_is_no_number_is_refused(five: Chat, doctor: User, verb: str, seq: Any) -> None:
    assert api_client(doctor).put(url(five, verb), {"seq": seq}).status_code == 400


def test_read_all(five: Chat, doctor: User) -> None:
    assert api_client(doctor).put(url(five, "read-all")).json()["seq"] == 5
    assert place_of(five, doctor) == (5, 5, 0)


def test_by_a_message(five: Chat, doctor: User, stranger: User) -> None:
    said = five.messages.get(seq=2)
    where = f"/api/v1/chat/messages/{said.pk}/read"

    answer = api_client(doctor).put(where)

    assert answer.json() == {"chat_id": str(five.pk), "seq": 2}
    assert api_client(stranger).put(where).status_code == 404
    assert api_client(doctor).put(f"/api/v1/chat/messages/{uuid4()}/read").status_code == 404


def test_what_a_client_fetches_has_arrived(five: Chat, doctor: User, patient: User) -> None:
    client = api_client(doctor)

    client.get(url(five, "messages?after_seq=0&limit=2"))
    assert place_of(five, doctor) == (2, 0, 0)
    client.get(url(five, "messages"))
    assert place_of(five, doctor) == (5, 0, 0)
    assert place_of(five, patient) == (0, 0, 0)


def test_what_was_searched_for_is_no_arrival_of_what_lies_before_it(
    five: Chat, doctor: User
) -> None:
    api_client(doctor).get(url(five, "messages?q=morning"))

    assert place_of(five, doctor) == (0, 0, 0)


def test_other_side_sees_it(five: Chat, doctor: User, patient: User) -> None:
    api_client(doctor).put(url(five, "read"), {"seq": 3})

    places = api_client(patient).get(f"/api/v1/chat/{five.pk}").json()["places"]

    assert {"user_id": str(doctor.pk), "delivered_seq": 3, "read_seq": 3} in places


@pytest.mark.parametrize(
    ("query", "delivered"),
    [
        ("before_seq=1", 0),  # nothing is given out
        ("before_seq=3", 2),
        ("after_seq=0&limit=1", 1),
        # Of what lies before these, nothing was given out.
        ("after_seq=3", 0),
        ("limit=2", 0),
    ],
)
def test_what_was_not_given_out_has_not_arrived(
    five: Chat, doctor: User, query: str, delivered: int
) -> None:
    api_client(doctor).get(url(five, f"messages?{query}"))

    assert place_of(five, doctor) == (delivered, 0, 0)


def test_own_words_and_withdrawals_keep_nothing_from_arriving(
    chat: Chat, patient: User, doctor: User
) -> None:
    withdrawn = say(chat, doctor)
    say(chat, doctor)
    retract_message(actor=doctor, message_id=withdrawn.pk)
    say(chat, patient)

    api_client(doctor).get(url(chat, "messages?limit=1"))

    assert place_of(chat, doctor) == (4, 0, 0)


def test_of_an_old_page_nothing_newer_has_arrived(five: Chat, doctor: User) -> None:
    mark_delivered(actor=doctor, chat_id=five.pk, seq=2)

    api_client(doctor).get(url(five, "messages?before_seq=3"))

    assert place_of(five, doctor) == (2, 0, 0)


@pytest.mark.parametrize("verb", ["read", "read-all", "delivered", "messages"])
def test_after_the_end_a_doctor_comes_no_further(five: Chat, doctor: User, verb: str) -> None:
    """What was said to them, they no longer read."""
    said = say(five, doctor)
    end_connection(actor=doctor, connection_id=five.connection_id)
    client = api_client(doctor)

    if verb == "messages":
        client.get(url(five, verb))
    else:
        answer = client.put(url(five, verb), {} if verb == "read-all" else {"seq": said.seq})
        assert answer.json()["seq"] == 0

    assert place_of(five, doctor) == (0, 0, 0)


def test_after_the_end_a_patient_still_reads(chat: Chat, doctor: User, patient: User) -> None:
    say(chat, doctor)
    end_connection(actor=doctor, connection_id=chat.connection_id)

    assert api_client(patient).put(url(chat, "read-all")).json()["seq"] == 1


class TestWhatTheOtherSideLearns:
    """After the end of a connection: nothing new."""

    @pytest.fixture(autouse=True)
    def _parted(self, chat: Chat, patient: User, doctor: User) -> None:
        for person in (doctor, patient, doctor, doctor):
            say(chat, person)
        mark_read(actor=patient, chat_id=chat.pk, seq=1)
        mark_delivered(actor=patient, chat_id=chat.pk, seq=3)
        mark_read(actor=doctor, chat_id=chat.pk, seq=2)
        end_connection(actor=patient, connection_id=chat.connection_id)

    def places(self, chat: Chat, reader: User) -> dict[str, tuple[int, int]]:
        places = api_client(reader).get(f"/api/v1/chat/{chat.pk}").json()["places"]
        return {one["user_id"]: (one["delivered_seq"], one["read_seq"]) for one in places}

    def come_together(self, connection: Connection) -> None:
        origin = Connection.Origin.QR
        connect(actor=connection.patient, doctor_id=connection.doctor_id, origin=origin)

    @pytest.mark.parametrize("verb", ["read-all", "messages"])
    def test_not_how_far_a_patient_comes_from_then_on(
        self, chat: Chat, patient: User, doctor: User, verb: str
    ) -> None:
        client = api_client(patient)
        client.put(url(chat, verb)) if verb == "read-all" else client.get(url(chat, verb))

        assert self.places(chat, doctor)[str(patient.pk)] == (3, 1)

    def test_what_was_known_stays(self, chat: Chat, patient: User, doctor: User) -> None:
        api_client(doctor).put(url(chat, "read-all"))

        assert self.places(chat, patient)[str(doctor.pk)] == (2, 2)
        assert self.places(chat, doctor)[str(patient.pk)] == (3, 1)

    def test_patients_own_place_goes_on(self, chat: Chat, patient: User) -> None:
        assert api_client(patient).get(url(chat, "unread/count")).json() == {"count": 2}

        assert api_client(patient).put(url(chat, "read-all")).json()["seq"] == 4

        assert api_client(patient).get(url(chat, "unread/count")).json() == {"count": 0}
        assert self.places(chat, patient)[str(patient.pk)] == (4, 4)

    def test_connected_again_they_learn_of_each_other_when_they_look(
        self, chat: Chat, patient: User, doctor: User
    ) -> None:
        api_client(patient).put(url(chat, "read-all"))
        self.come_together(chat.connection)
        assert self.places(chat, doctor)[str(patient.pk)] == (3, 1)

        assert api_client(patient).put(url(chat, "read"), {"seq": 3}).json()["seq"] == 4

        assert self.places(chat, doctor)[str(patient.pk)] == (3, 3)


class TestUnread:
    def counts(self, chat: Chat, user: User) -> tuple[int, int, int]:
        """In all chats, in this one, and in the list."""
        client = api_client(user)
        listed = client.get("/api/v1/chat").json()["results"]
        here = [one["unread_count"] for one in listed if one["id"] == str(chat.pk)]
        return (
            client.get("/api/v1/chat/unread/count").json()["count"],
            client.get(url(chat, "unread/count")).json()["count"],
            here[0],
        )

    def test_of_what_others_said_behind_ones_place(
        self, five: Chat, doctor: User, patient: User
    ) -> None:
        say(five, doctor)
        api_client(doctor).put(url(five, "read"), {"seq": 3})

        assert self.counts(five, doctor) == (2, 2, 2)
        assert self.counts(five, patient) == (1, 1, 1)

    def test_withdrawn_messages_are_not_counted_nor_their_withdrawals(
        self, five: Chat, doctor: User, patient: User
    ) -> None:
        for message in five.messages.filter(seq__in=[2, 4]):
            retract_message(actor=patient, message_id=message.pk)

        assert self.counts(five, doctor) == (3, 3, 3)

    def test_after_the_end_a_doctor_has_none_and_a_patient_those_they_have(
        self, five: Chat, doctor: User, patient: User
    ) -> None:
        say(five, doctor)
        end_connection(actor=patient, connection_id=five.connection_id)

        assert self.counts(five, doctor) == (0, 0, 0)
        assert self.counts(five, patient) == (1, 1, 1)

    def test_counting_ends_where_nobody_reads_on(self, five: Chat, doctor: User) -> None:
        """The number in the navigation is asked for with every page, and says 99+ at most."""
        with time_machine.travel(timezone.now(), tick=False) as clock:
            for _ in range(Message.COUNTED_TO):
                say(five, five.connection.patient)
                clock.shift(2)

        assert self.counts(five, doctor) == (100, 100, 100)
        assert page_client(doctor).get("/chats/unread").json() == {"count": 100}
        assert "99+" in page_client(doctor).get("/chats").content.decode()

    def test_of_a_chat_that_is_not_ones_own_nothing_is_told(
        self, five: Chat, stranger: User
    ) -> None:
        assert api_client(stranger).get(url(five, "unread/count")).status_code == 404
        assert api_client(stranger).get("/api/v1/chat/unread/count").json() == {"count": 0}
