"""One's own connections, and how little of the other side they show."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from connections.models import Connection
from connections.services.connections import end_connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client

pytestmark = pytest.mark.django_db
URL = "/api/v1/requests/connections"


def test_both_sides_see_it_and_nobody_else(
    connection: Connection, stranger: User, other_doctor: User, admin: User
) -> None:
    seen = {
        user: Connection.objects.visible_to(user).count()
        for user in (connection.patient, connection.doctor, stranger, other_doctor, admin)
    }

    assert seen == {
        connection.patient: 1,
        connection.doctor: 1,
        stranger: 0,
        other_doctor: 0,
        admin: 0,
    }


def test_nobody_sees_nothing(connection: Connection) -> None:
    assert not Connection.objects.visible_to(AnonymousUser()).exists()


def test_ended_connection_stays_in_the_list(connection: Connection) -> None:
    end_connection(actor=connection.patient, connection_id=connection.pk)

    rows = api_client(connection.patient).get(URL).json()["results"]

    assert [row["status"] for row in rows] == ["INACTIVE"]


def test_other_side_is_a_name_and_not_an_address(connection: Connection) -> None:
    text = api_client(connection.doctor).get(f"{URL}/{connection.pk}").content.decode()

    assert "Mona Adel" in text
    for hidden in (connection.patient.email, "+2010", "1990-05-17", "licence"):
        assert hidden not in text


def test_doctor_comes_with_title_and_specialization(connection: Connection) -> None:
    row = api_client(connection.patient).get(f"{URL}/{connection.pk}").json()

    assert row["doctor"]["display_name"] == "Dr Karim Nabil"
    assert row["doctor"]["specialization"]["code"] == "cardiology"


@pytest.mark.parametrize("side", ["patient", "doctor"])
def test_list_asks_a_fixed_number_of_questions(side: str, django_assert_num_queries) -> None:
    first = ConnectionFactory()
    client = api_client(getattr(first, side))
    with django_assert_num_queries(2):
        client.get(URL)
    for _ in range(4):
        ConnectionFactory(**{side: getattr(first, side)})

    with django_assert_num_queries(2):
        rows = client.get(URL).json()["results"]

    assert len(rows) == 5
