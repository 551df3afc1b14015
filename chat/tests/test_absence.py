"""When a doctor does not answer."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from chat.models import Absence
from chat.services.help import absence_of, forget_help, save_reply, set_absence
from medisync.tests.client import api_client, page_client

pytestmark = pytest.mark.django_db
URL = "/api/v1/chat/absence"
NOW = dt.datetime(2030, 6, 1, 12, tzinfo=dt.UTC)
SAID = {
    "starts_at": "2030-06-02T00:00:00Z",
    "ends_at": "2030-06-09T00:00:00Z",
    "notice": "At a congress. Dr Fathy answers urgent questions.",
}


@pytest.fixture(autouse=True)
def _first_of_june():
    with time_machine.travel(NOW, tick=False):
        yield


def test_said_and_read(doctor: User) -> None:
    client = api_client(doctor)

    answer = client.put(URL, SAID)

    assert (answer.status_code, answer.json()) == (200, SAID)
    assert client.get(URL).json() == SAID


def test_next_takes_the_place_of_the_last(doctor: User) -> None:
    client = api_client(doctor)
    client.put(URL, SAID)
    client.put(URL, SAID | {"ends_at": "2030-06-20T00:00:00Z", "notice": ""})

    said = Absence.objects.get(doctor=doctor)
    assert (said.ends_at.day, said.notice) == (20, "")


def test_taken_back_and_again_nothing_happens(doctor: User) -> None:
    client = api_client(doctor)
    client.put(URL, SAID)

    assert [client.delete(URL).status_code for _ in range(2)] == [204, 204]
    assert client.get(URL).status_code == 404


@pytest.mark.parametrize(
    ("changes", "attr"),
    [
        ({"ends_at": "2030-06-02T00:00:00Z"}, "ends_at"),
        ({"starts_at": "2030-05-01T00:00:00Z", "ends_at": "2030-06-01T12:00:00Z"}, "ends_at"),
        ({"starts_at": "tomorrow"}, "starts_at"),
        ({"starts_at": None}, "starts_at"),
        ({"notice": "x" * 501}, "notice"),
        ({"notice": "a\u202eb"}, "notice"),
        ({"until": "x"}, "until"),
    ],
    ids=str,
)
def test_what_is_no_absence_is_refused(doctor: User, changes: dict[str, Any], attr: str) -> None:
    answer = api_client(doctor).put(URL, SAID | changes)

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, attr)
    assert not Absence.objects.exists()


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
@pytest.mark.parametrize(
    ("starts_at", "ends_at", "attr"),
    [
        ("0001-01-01T00:00", "2030-06-09T00:00", "starts_at"),
        ("2030-06-01T00:00", "9999-12-31T23:59", "ends_at"),
        ("2030-06-01T00:00", "9999-12-31T08:00", "ends_at"),
    ],
)
def test_what_the_clock_of_another_zone_cannot_tell_is_refused(
    doctor: User, zone: str, starts_at: str, ends_at: str, attr: str
) -> None:
    """Every patient of theirs would ask for it by a clock of their own, and get no page."""
    doctor.time_zone = zone
    doctor.save()
    said = {"starts_at": starts_at, "ends_at": ends_at, "notice": ""}

    answer = api_client(doctor).put(URL, said)
    page = page_client(doctor).post("/chats/away", said)

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, attr)
    assert (page.status_code, [*page.context["form"].errors]) == (400, [attr])
    assert not Absence.objects.exists()


def test_it_holds_from_its_first_instant_to_before_its_last(doctor: User) -> None:
    said = set_absence(
        actor=doctor, starts_at=NOW + dt.timedelta(days=1), ends_at=NOW + dt.timedelta(days=2)
    )
    moment = dt.timedelta(microseconds=1)

    away = [
        absence_of(doctor_id=doctor.pk, at=at) is not None
        for at in (
            said.starts_at - moment, said.starts_at, said.ends_at - moment, said.ends_at,
        )
    ]  # fmt: skip

    assert away == [False, True, True, False]
    assert [said.is_current(at) for at in (NOW, said.starts_at)] == [False, True]


def test_of_a_doctor_who_is_forgotten_nothing_prepared_stays(
    doctor: User, other_doctor: User
) -> None:
    for one in (doctor, other_doctor):
        save_reply(actor=one, title="Mona", content="Mona, come and see me.")
        set_absence(actor=one, starts_at=NOW, ends_at=timezone.now() + dt.timedelta(days=1))

    forget_help(user=doctor)

    assert not doctor.canned_replies.exists()
    assert not Absence.objects.filter(doctor=doctor).exists()
    assert other_doctor.canned_replies.exists()
