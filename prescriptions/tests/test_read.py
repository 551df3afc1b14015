"""Reading prescriptions: who, how much it costs, and that it is logged."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import User
from audit.models import AccessEvent
from common.ids import uuid7
from connections.models import Connection
from connections.services.connections import end_connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client, page_client
from prescriptions.models import Prescription
from prescriptions.services.refills import request_refill
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
MINE = "/api/v1/prescriptions/my-prescriptions"


def of_patient(patient: User) -> str:
    return f"/api/v1/prescriptions/patients/{patient.pk}"


def of_connection(connection: Connection) -> str:
    return f"/api/v1/prescriptions/connections/{connection.pk}"


def ids(user: User, url: str) -> list[str]:
    answer = api_client(user).get(url)
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_both_sides_see_it_and_nobody_else(
    connection: Connection, stranger: User, other_doctor: User, admin: User
) -> None:
    issue(connection)

    seen = {
        user: Prescription.objects.visible_to(user).count()
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
    issue(connection)

    assert not Prescription.objects.visible_to(AnonymousUser()).exists()


def test_both_keep_reading_it_after_parting(connection: Connection) -> None:
    prescription = issue(connection)
    end_connection(actor=connection.patient, connection_id=connection.pk)

    for user in (connection.patient, connection.doctor):
        answer = api_client(user).get(f"/api/v1/prescriptions/{prescription.pk}")
        assert answer.status_code == 200


def test_second_doctor_of_a_patient_does_not_see_the_first_ones(
    connection: Connection, other_doctor: User
) -> None:
    issue(connection)
    second = ConnectionFactory(patient=connection.patient, doctor=other_doctor)
    mine = issue(second)

    assert ids(other_doctor, of_patient(connection.patient)) == [str(mine.pk)]
    assert len(ids(connection.patient, MINE)) == 2


def test_opening_one_is_logged(connection: Connection) -> None:
    prescription = issue(connection)

    api_client(connection.patient).get(f"/api/v1/prescriptions/{prescription.pk}")

    event = AccessEvent.objects.get(action="READ")
    assert (event.actor_id, event.object_id) == (connection.patient_id, prescription.pk)


@pytest.mark.parametrize("client", [api_client, page_client])
def test_list_of_one_patient_is_logged_on_every_surface(
    connection: Connection, client: Any
) -> None:
    issue(connection)
    urls = {api_client: of_connection(connection), page_client: f"/connections/{connection.pk}"}

    assert client(connection.doctor).get(urls[client]).status_code == 200

    listed = AccessEvent.objects.get(action="LISTED")
    assert (listed.actor_id, listed.patient_id) == (connection.doctor_id, connection.patient_id)


@pytest.mark.parametrize(
    ("client", "url"),
    [
        (page_client, "/prescriptions"),
        (page_client, "/prescriptions?q=Mona"),
        (page_client, "/refills"),
        (api_client, "/api/v1/refill-requests"),
    ],
)
def test_lists_over_all_patients_are_logged_on_no_surface(
    connection: Connection, client: Any, url: str
) -> None:
    request_refill(actor=connection.patient, prescription_id=issue(connection).pk)
    before = AccessEvent.objects.count()

    assert client(connection.doctor).get(url).status_code == 200

    assert AccessEvent.objects.count() == before


def test_taking_its_paper_is_logged(connection: Connection) -> None:
    prescription = issue(connection)

    answer = api_client(connection.doctor).get(f"/api/v1/prescriptions/{prescription.pk}/pdf")

    event = AccessEvent.objects.get(action="DOWNLOADED")
    assert (event.actor_id, event.object_id) == (connection.doctor_id, prescription.pk)
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Type"] == "application/pdf"


def test_what_is_refused_is_not_logged(connection: Connection, stranger: User) -> None:
    prescription = issue(connection)
    before = AccessEvent.objects.count()

    for suffix in ("", "/pdf"):
        answer = api_client(stranger).get(f"/api/v1/prescriptions/{prescription.pk}{suffix}")
        assert answer.status_code == 404

    assert AccessEvent.objects.count() == before


def test_refusal_is_the_same_whether_or_not_it_exists(
    connection: Connection, stranger: User
) -> None:
    prescription = issue(connection)
    client = api_client(stranger)

    answers = [
        client.get(f"/api/v1/prescriptions/{pk}").json() for pk in (prescription.pk, uuid7())
    ]

    for answer in answers:
        del answer["instance"]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("query", [{"size": "A3"}, {"language": "fr"}, {"paper": "A4"}], ids=str)
def test_unknown_paper_is_refused(connection: Connection, query: dict[str, str]) -> None:
    prescription = issue(connection)

    answer = api_client(connection.patient).get(
        f"/api/v1/prescriptions/{prescription.pk}/pdf", query
    )

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"][0]["attr"] == next(iter(query))


def test_is_active_keeps_those_valid_today_or_the_others(connection: Connection) -> None:
    today = issue(connection, valid_until=None)
    with time_machine.travel(timezone.now() - dt.timedelta(days=60)):
        old = issue(connection)

    assert ids(connection.patient, f"{MINE}?is_active=true") == [str(today.pk)]
    assert ids(connection.patient, f"{MINE}?is_active=false") == [str(old.pk)]
    assert set(ids(connection.patient, MINE)) == {str(today.pk), str(old.pk)}


def test_last_day_is_still_active(connection: Connection) -> None:
    prescription = issue(connection)
    noon = dt.datetime.combine(prescription.valid_until, dt.time(12), tzinfo=dt.UTC)
    client_of = connection.patient

    with time_machine.travel(noon):
        assert ids(client_of, f"{MINE}?is_active=true") == [str(prescription.pk)]
        assert ids(client_of, f"{MINE}?is_active=false") == []


@pytest.mark.parametrize("value", ["perhaps", "2", "[]"])
def test_is_active_is_yes_or_no(patient: User, value: str) -> None:
    assert api_client(patient).get(f"{MINE}?is_active={value}").status_code == 400


def test_doctor_has_no_prescriptions_of_their_own(connection: Connection) -> None:
    issue(connection)

    assert ids(connection.doctor, MINE) == []


def test_list_of_a_patient_one_is_not_connected_with_is_not_there(
    connection: Connection, other_doctor: User, stranger: User
) -> None:
    for user in (other_doctor, stranger):
        answer = api_client(user).get(of_patient(connection.patient))
        assert answer.status_code == 404


def test_list_of_a_connection_holds_only_its_own(connection: Connection) -> None:
    other = ConnectionFactory(doctor=connection.doctor)
    issue(other)
    mine = issue(connection)

    assert ids(connection.doctor, of_connection(connection)) == [str(mine.pk)]


@pytest.mark.parametrize(
    ("side", "url", "queries"),
    [
        ("patient", lambda connection: MINE, 4),
        # Session, connection, prescriptions, items, dispenses; begin and end of a transaction;
        # for a doctor a line in the log, and where others may have prescribed, the grant.
        ("doctor", lambda connection: of_patient(connection.patient), 9),
        ("patient", of_connection, 7),
        ("doctor", of_connection, 8),
    ],
    ids=["my-prescriptions", "of a patient", "of a connection", "of a connection, doctor"],
)
def test_list_asks_a_fixed_number_of_questions(
    connection: Connection, side: str, url: Any, queries: int, django_assert_num_queries
) -> None:
    client = api_client(getattr(connection, side))
    issue(connection)
    with django_assert_num_queries(queries):
        client.get(url(connection))
    for _ in range(4):
        issue(connection)

    with django_assert_num_queries(queries):
        rows = client.get(url(connection)).json()["results"]

    assert len(rows) == 5
