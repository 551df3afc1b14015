"""The chart: what a doctor sees who was let see it, and what is kept of their looking."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.http import Http404
from django.test import Client
from django.utils import timezone

from accounts.models import AllergyIntolerance, Condition, User
from accounts.services.health import add_entry
from audit.models import AccessEvent
from connections.models import AccessGrant, Connection, DataCategory
from connections.services.connections import end_connection
from connections.services.grants import Sharing, revoke_grant, set_grant
from connections.tests.factories import ConnectionFactory
from medisync.chart.reading import LISTS, MOST, READERS, chart_of, open_chart, preview_grant
from medisync.tests.client import api_client, page_client
from prescriptions.models import Prescription
from prescriptions.tests.factories import issue
from prescriptions.tests.pdf_reading import Pages
from records.models import Record

pytestmark = pytest.mark.django_db
EVERYTHING = tuple(DataCategory.values)


def share(connection: Connection, *categories: str, **terms: Any) -> AccessGrant:
    grant = set_grant(
        actor=connection.patient,
        connection_id=connection.pk,
        sharing=Sharing(categories=categories or EVERYTHING, **terms),
    )
    assert grant is not None
    return grant


def tell_all(patient: User) -> None:
    """One of everything that can be shared."""
    add_entry(actor=patient, kind=AllergyIntolerance, values={"substance": "Penicillin"})
    add_entry(actor=patient, kind=Condition, values={"name": "Asthma", "since": "2015"})
    issue(ConnectionFactory(patient=patient), diagnosis="Migraine")
    Record.objects.create(patient=patient, kind="LAB_RESULT", title="Lipids", date="2026-01-05")


def chart_path(connection: Connection) -> str:
    return f"/api/v1/users/{connection.patient_id}"


def logged(connection: Connection) -> list[tuple[str, str, str]]:
    """What the doctor did, oldest first."""
    events = AccessEvent.objects.filter(actor_id=connection.doctor_id).order_by("seq")
    return list(events.values_list("action", "basis", "category"))


def test_every_category_has_a_reader_and_a_list_its_own() -> None:
    assert set(READERS) == set(DataCategory.values)
    assert {kind.CATEGORY for kind in LISTS} < set(DataCategory.values)
    assert set(Record.Kind.values) < set(DataCategory.values)


def test_api_gives_what_is_shared_and_null_for_the_rest(connection: Connection) -> None:
    tell_all(connection.patient)
    share(connection, DataCategory.ALLERGIES, DataCategory.CONDITIONS, DataCategory.VACCINATION)

    chart = api_client(connection.doctor).get(chart_path(connection)).json()

    assert [entry["substance"] for entry in chart["allergies"]] == ["Penicillin"]
    assert [entry["name"] for entry in chart["conditions"]] == ["Asthma"]
    assert chart["vaccination"] == []
    assert chart["shared"] == ["ALLERGIES", "CONDITIONS", "VACCINATION"]
    others = ("facts", "medications", "emergency_contacts", "prescriptions", "lab_result")
    assert {chart[name] for name in others} == {None}
    assert chart["patient"]["display_name"] == "Mona Adel"


def test_chart_holds_no_address_and_no_contact_of_the_account(connection: Connection) -> None:
    share(connection)

    text = api_client(connection.doctor).get(chart_path(connection)).content.decode()

    assert connection.patient.email not in text
    assert str(connection.patient.phone) not in text


def test_own_prescriptions_stand_apart_from_those_by_others(connection: Connection) -> None:
    tell_all(connection.patient)
    own = issue(connection)
    share(connection, DataCategory.PRESCRIPTIONS)

    chart = api_client(connection.doctor).get(chart_path(connection)).json()

    assert [row["id"] for row in chart["issued"]] == [str(own.pk)]
    assert [row["diagnosis"] for row in chart["prescriptions"]] == ["Migraine"]


def test_connected_doctor_without_a_grant_finds_no_chart(connection: Connection) -> None:
    for path in surfaces(connection):
        assert client_for(path, connection.doctor).get(path).status_code == 404


def test_opening_it_is_logged_once_for_each_category_shown(connection: Connection) -> None:
    issue(connection)
    grant = share(connection, DataCategory.ALLERGIES, DataCategory.FACTS)
    before = len(logged(connection))

    page_client(connection.doctor).get(f"/patients/{connection.patient_id}")

    assert logged(connection)[before:] == [
        ("READ", "GRANT", "FACTS"),
        ("READ", "GRANT", "ALLERGIES"),
        ("LISTED", "AUTHOR", "PRESCRIPTIONS"),
    ]
    assert AccessEvent.objects.filter(object_id=grant.pk, action="READ").count() == 2


@pytest.mark.parametrize("door", ["api", "page", "link"])
def test_file_is_logged_as_taken(connection: Connection, door: str) -> None:
    share(connection, DataCategory.ALLERGIES)

    answer = take_file(connection, door)

    assert answer["Content-Type"] == "application/pdf"
    assert logged(connection) == [("DOWNLOADED", "GRANT", "ALLERGIES")]


@pytest.mark.parametrize("language", ["en", "ar"])
def test_file_says_what_the_chart_says(connection: Connection, language: str) -> None:
    tell_all(connection.patient)
    share(connection, DataCategory.ALLERGIES, DataCategory.MEDICATIONS, DataCategory.PRESCRIPTIONS)

    answer = api_client(connection.doctor).get(
        f"{chart_path(connection)}/summary", {"language": language}
    )

    text = "".join(Pages(answer.content).texts)
    assert "Penicillin" in text
    assert "Amlodipine" in text
    assert "Asthma" not in text


def test_refused_opening_leaves_nothing_in_the_log(connection: Connection) -> None:
    api_client(connection.doctor).get(chart_path(connection))

    assert logged(connection) == []


def test_preview_is_what_the_doctor_gets(connection: Connection) -> None:
    tell_all(connection.patient)
    issue(connection)
    grant = share(connection, *EVERYTHING[:7])

    seen = api_client(connection.doctor).get(chart_path(connection)).json()
    shown = api_client(connection.patient).get(f"/api/v1/grants/{grant.pk}/preview").json()

    assert shown == seen


def test_preview_is_logged_as_nobodys_reading(connection: Connection) -> None:
    grant = share(connection)
    before = AccessEvent.objects.count()

    preview_grant(actor=connection.patient, grant_id=grant.pk)
    page_client(connection.patient).get(f"/connections/{connection.pk}/preview")

    assert AccessEvent.objects.count() == before
    assert AccessGrant.objects.get().last_used_at is None


def test_preview_of_what_has_ended_says_so(connection: Connection) -> None:
    grant = share(connection)
    revoke_grant(actor=connection.patient, grant_id=grant.pk)

    api = api_client(connection.patient).get(f"/api/v1/grants/{grant.pk}/preview")
    page = page_client(connection.patient).get(f"/connections/{connection.pk}/preview")

    assert (api.status_code, page.status_code) == (409, 409)
    assert api.json()["errors"][0]["code"] == "nothing_shared"


def test_doctor_previews_nothing(connection: Connection) -> None:
    grant = share(connection)

    answer = api_client(connection.doctor).get(f"/api/v1/grants/{grant.pk}/preview")

    assert answer.status_code == 404


def test_last_use_is_kept_to_the_day(connection: Connection) -> None:
    share(connection, DataCategory.FACTS)
    open_chart(doctor=connection.doctor, patient_id=connection.patient_id)
    first = AccessGrant.objects.get().last_used_at
    open_chart(doctor=connection.doctor, patient_id=connection.patient_id)
    same_day = AccessGrant.objects.get().last_used_at
    AccessGrant.objects.update(last_used_at=timezone.now() - dt.timedelta(days=2))

    open_chart(doctor=connection.doctor, patient_id=connection.patient_id)

    assert first == same_day
    assert AccessGrant.objects.get().last_used_at > first


def test_of_a_long_list_the_newest_hundred_are_shown(connection: Connection) -> None:
    for number in range(MOST + 1):
        day = dt.date(2020, 1, 1) + dt.timedelta(days=number)
        Record.objects.create(
            patient=connection.patient, kind="REPORT", title=f"No. {number}", date=day
        )
    share(connection, DataCategory.REPORT)

    chart = api_client(connection.doctor).get(chart_path(connection)).json()

    assert len(chart["report"]) == MOST
    assert chart["report"][0]["title"] == f"No. {MOST}"
    assert chart["cut"] == ["REPORT"]


def test_of_many_own_prescriptions_too_it_is_said_that_more_are_kept(
    connection: Connection,
) -> None:
    for _ in range(MOST + 1):
        issue(connection)
    share(connection, DataCategory.FACTS)

    chart = api_client(connection.doctor).get(chart_path(connection)).json()
    page = page_client(connection.doctor).get(f"/patients/{connection.patient_id}")
    file = api_client(connection.doctor).get(f"{chart_path(connection)}/summary")

    assert (len(chart["issued"]), chart["issued_is_cut"]) == (MOST, True)
    said = f"Only the newest {MOST} are listed."
    assert said in page.content.decode()
    assert said in "".join(Pages(file.content).texts)


def test_prescriptions_by_others_come_without_what_verifies_them(connection: Connection) -> None:
    tell_all(connection.patient)
    own = issue(connection)
    share(connection, DataCategory.PRESCRIPTIONS)

    chart = api_client(connection.doctor).get(chart_path(connection)).json()

    assert [row["verification_url"] for row in chart["prescriptions"]] == [None]
    assert [row["verification_url"] for row in chart["issued"]] == [own.verification_url]


def test_chart_asks_a_fixed_number_of_questions(
    connection: Connection, django_assert_num_queries: Any
) -> None:
    tell_all(connection.patient)
    share(connection)
    client = api_client(connection.doctor)
    client.get(chart_path(connection))
    # Session; the transaction's begin and end; the grant, held and read; twelve categories,
    # two with their lines, one with what was dispensed; own prescriptions; the grant once more;
    # the log.
    with django_assert_num_queries(22):
        client.get(chart_path(connection))
    tell_all_again(connection.patient)

    with django_assert_num_queries(22):
        client.get(chart_path(connection))


def test_ended_connection_takes_every_surface_away(connection: Connection) -> None:
    share(connection)
    link = link_of(connection)
    end_connection(actor=connection.doctor, connection_id=connection.pk)

    for path in [*surfaces(connection), link]:
        assert client_for(path, connection.doctor).get(path).status_code == 404


def surfaces(connection: Connection) -> list[str]:
    return [
        chart_path(connection),
        f"{chart_path(connection)}/summary",
        f"/patients/{connection.patient_id}",
        f"/patients/{connection.patient_id}/summary.pdf",
    ]


def client_for(path: str, user: User) -> Client:
    return api_client(user) if path.startswith("/api/") else page_client(user)


def link_of(connection: Connection) -> str:
    answer = api_client(connection.doctor).post(f"{chart_path(connection)}/summary-link")
    return "/" + answer.json()["url"].split("/", 3)[3]


def take_file(connection: Connection, door: str) -> Any:
    if door == "link":
        return Client().get(link_of(connection))
    path = {
        "api": f"{chart_path(connection)}/summary",
        "page": f"/patients/{connection.patient_id}/summary.pdf",
    }[door]
    return client_for(path, connection.doctor).get(path)


def tell_all_again(patient: User) -> None:
    add_entry(actor=patient, kind=AllergyIntolerance, values={"substance": "Peanuts"})
    issue(Connection.objects.get(pk=Prescription.objects.earliest("pk").connection_id))
    Record.objects.create(patient=patient, kind="LAB_RESULT", title="Again", date="2026-02-05")


def test_chart_is_of_one_doctor_alone(connection: Connection, other_doctor: User) -> None:
    share(connection)

    with pytest.raises(Http404):
        chart_of(connection.patient_id, other_doctor)
