"""When a patient reaches the doctor."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from connections.models import Connection
from connections.policies import ConnectionEnded
from connections.services.connections import end_connection, set_availability
from medisync.tests.client import api_client, page_client

pytestmark = pytest.mark.django_db
HOURS = (dt.time(9), dt.time(17))
SAID = {"available_days": ["sun", "tue"], "available_hours": {"from": "09:00", "until": "17:00"}}


def url(connection: Connection) -> str:
    return f"/api/v1/requests/connections/{connection.pk}/availability"


def page(connection: Connection) -> str:
    return f"/connections/{connection.pk}/availability"


def test_doctor_says_and_the_patient_sees_it(connection: Connection) -> None:
    answer = api_client(connection.doctor).put(url(connection), SAID)

    seen = api_client(connection.patient).get(f"/api/v1/requests/connections/{connection.pk}")
    shown = page_client(connection.patient).get(f"/connections/{connection.pk}").content.decode()
    assert answer.status_code == 200
    assert {name: seen.json()[name] for name in SAID} == SAID
    assert "Sunday, Tuesday" in " ".join(shown.split())
    assert "9 a.m." in shown


def test_what_is_said_replaces_what_was_said(connection: Connection) -> None:
    client = api_client(connection.doctor)
    client.put(url(connection), SAID)

    nothing = {"available_days": [], "available_hours": None}
    told = client.put(url(connection), nothing).json()

    assert {name: told[name] for name in nothing} == nothing


@pytest.mark.parametrize("missing", ["available_days", "available_hours"])
def test_app_says_both(connection: Connection, missing: str) -> None:
    said = {name: value for name, value in SAID.items() if name != missing}

    answer = api_client(connection.doctor).put(url(connection), said)

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, missing)


@pytest.mark.parametrize(
    ("days", "hours", "attr"),
    [
        (["someday"], None, "available_days"),
        ([], (dt.time(17), dt.time(9)), "available_hours"),
        ([], (dt.time(9), dt.time(9)), "available_hours"),
    ],
    ids=["an unknown day", "backwards", "no time at all"],
)
def test_what_cannot_be_is_refused_at_its_field(
    connection: Connection, days: list[str], hours: Any, attr: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        set_availability(
            actor=connection.doctor, connection_id=connection.pk, days=days, hours=hours
        )

    assert refused.value.attr == attr


def test_page_begins_with_what_was_said_and_saves(connection: Connection) -> None:
    browser = page_client(connection.doctor)
    api_client(connection.doctor).put(url(connection), SAID)

    form = browser.get(page(connection)).content.decode()
    answer = browser.post(
        page(connection),
        {"available_days": ["mon"], "available_from": "10:00", "available_until": "12:30"},
        follow=True,
    )

    connection.refresh_from_db()
    assert 'value="sun"' in form
    assert 'value="09:00"' in form
    assert answer.redirect_chain == [(f"/connections/{connection.pk}", 302)]
    assert (connection.available_days, connection.available_until) == (["mon"], dt.time(12, 30))


@pytest.mark.parametrize(
    "typed",
    [
        {"available_from": "09:00"},
        {"available_until": "09:00"},
        {"available_from": "17:00", "available_until": "09:00"},
        {"available_days": ["someday"]},
    ],
    ids=["no end", "no beginning", "backwards", "an unknown day"],
)
def test_page_says_what_cannot_be(connection: Connection, typed: dict[str, Any]) -> None:
    answer = page_client(connection.doctor).post(page(connection), typed)

    assert answer.status_code == 400
    assert answer.context["form"].errors


def test_patient_does_not_say_it(connection: Connection) -> None:
    with pytest.raises(NotAllowed):
        set_availability(
            actor=connection.patient, connection_id=connection.pk, days=[], hours=HOURS
        )


def test_nothing_is_promised_of_a_connection_that_has_ended(connection: Connection) -> None:
    end_connection(actor=connection.patient, connection_id=connection.pk)

    with pytest.raises(ConnectionEnded):
        set_availability(actor=connection.doctor, connection_id=connection.pk, days=[], hours=HOURS)
    assert page_client(connection.doctor).get(page(connection)).status_code == 409


def test_outsiders_do_not_find_it(
    connection: Connection, stranger: User, other_doctor: User, admin: User
) -> None:
    for actor in (stranger, other_doctor, admin):
        with pytest.raises(Http404):
            set_availability(actor=actor, connection_id=connection.pk, days=[], hours=None)


@pytest.mark.parametrize(
    "changes",
    [
        {"available_days": ["someday"]},
        {"available_from": dt.time(9)},
        {"available_from": dt.time(17), "available_until": dt.time(9)},
    ],
    ids=["an unknown day", "no end", "backwards"],
)
def test_database_refuses_what_cannot_be(connection: Connection, changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(**changes)
