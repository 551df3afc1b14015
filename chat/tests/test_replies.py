"""A doctor's prepared replies."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from chat.models import CannedReply
from chat.services.help import save_reply
from medisync.tests.client import api_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
URL = "/api/v1/chat/replies"
WORDS = {"title": "Thank you", "content": "You are welcome."}


@pytest.fixture
def reply(doctor: User) -> CannedReply:
    return save_reply(actor=doctor, **WORDS)


def test_kept_and_read_by_title(doctor: User) -> None:
    client = api_client(doctor)
    made = [
        client.post(URL, {"title": title, "content": "Rest.\nDrink."}).json()
        for title in ("rest", "Come", "شكرًا")
    ]

    listed = client.get(URL).json()

    assert sorted(one["id"] for one in listed) == sorted(one["id"] for one in made)
    assert [one["title"] for one in listed if one["title"].isascii()] == ["Come", "rest"]
    assert client.get(f"{URL}/{made[0]['id']}").json() == made[0]


def test_put_in_the_place_of_one(reply: CannedReply, doctor: User) -> None:
    answer = api_client(doctor).put(f"{URL}/{reply.pk}", {"title": "THANK YOU", "content": "!"})

    reply.refresh_from_db()
    assert (answer.status_code, reply.title, reply.content) == (200, "THANK YOU", "!")


def test_deleted(reply: CannedReply, doctor: User) -> None:
    client = api_client(doctor)

    assert client.delete(f"{URL}/{reply.pk}").status_code == 204
    assert client.delete(f"{URL}/{reply.pk}").status_code == 404
    assert client.get(URL).json() == []


def test_title_is_one_whatever_its_case(reply: CannedReply, doctor: User) -> None:
    answer = api_client(doctor).post(URL, WORDS | {"title": "thank YOU"})

    [error] = answer.json()["errors"]
    assert (answer.status_code, error["code"], error["attr"]) == (409, "reply_title_taken", "title")


def test_another_doctor_may_have_the_same_title(reply: CannedReply, other_doctor: User) -> None:
    assert api_client(other_doctor).post(URL, WORDS).status_code == 201


def test_as_many_as_are_kept(doctor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CannedReply, "MOST", 2)
    client = api_client(doctor)
    made = [client.post(URL, WORDS | {"title": str(number)}) for number in range(3)]

    assert [answer.status_code for answer in made] == [201, 201, 409]
    assert made[2].json()["errors"][0]["code"] == "too_many_replies"
    # One that is there is still rewritten.
    assert client.put(f"{URL}/{made[0].json()['id']}", WORDS).status_code == 200


@pytest.mark.parametrize(
    ("changes", "attr"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"title": "a\u202eb"}, "title"),
        ({"content": ""}, "content"),
        ({"content": "x" * 5001}, "content"),
        ({"content": "a\u202eb"}, "content"),
        ({"patient": "x"}, "patient"),
    ],
    ids=str,
)
def test_what_is_no_reply_is_refused(doctor: User, changes: dict[str, Any], attr: str) -> None:
    answer = api_client(doctor).post(URL, WORDS | changes)

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, attr)


def test_of_another_doctor_nothing_is_there(reply: CannedReply, other_doctor: User) -> None:
    client, url = api_client(other_doctor), f"{URL}/{reply.pk}"

    answers = [client.get(url), client.put(url, WORDS), client.delete(url)]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert CannedReply.objects.get() == reply


@pytest.mark.django_db(transaction=True)
def test_two_devices_at_once_keep_no_more_than_there_is_room_for(
    doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CannedReply, "MOST", 1)

    racers = race(*_both(doctor), gate=CannedReply)

    assert sorted(errors(racers)) == ["", "TooManyReplies"]
    assert CannedReply.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_they_would_keep_one_more(
    doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CannedReply, "MOST", 1)

    race(*_both(doctor), gate=CannedReply)

    assert CannedReply.objects.count() == 2


def _both(doctor: User) -> list[Any]:
    return [
        lambda: save_reply(actor=doctor, title="One", content="Rest."),
        lambda: save_reply(actor=doctor, title="Two", content="Drink."),
    ]
