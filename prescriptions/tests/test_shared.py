"""Reading by the patient's grant what another doctor prescribed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection as database
from django.http import Http404

from accounts.models import User
from audit.models import AccessEvent
from connections.access_sentences import sentences
from connections.models import AccessGrant, Connection, DataCategory
from connections.services.connections import block
from connections.services.grants import Sharing, set_grant
from connections.tests.factories import ConnectionFactory, RequestFactory
from medisync.tests.client import api_client, page_client
from prescriptions.models import Prescription
from prescriptions.services.reading import list_of_patient, open_prescription
from prescriptions.tests.dispensing import claim, hand_out
from prescriptions.tests.factories import issue
from prescriptions.tests.pdf_reading import Pages

pytestmark = pytest.mark.django_db


def share(connection: Connection, *categories: str) -> AccessGrant:
    grant = set_grant(
        actor=connection.patient,
        connection_id=connection.pk,
        sharing=Sharing(categories=categories or (DataCategory.PRESCRIPTIONS,)),
    )
    assert grant is not None
    return grant


def by_another(connection: Connection) -> Prescription:
    """What another doctor prescribed to the same patient."""
    return issue(ConnectionFactory(patient=connection.patient))


def did(doctor: User) -> list[tuple[str, str, str]]:
    events = AccessEvent.objects.filter(actor_id=doctor.pk).order_by("seq")
    return list(events.values_list("action", "basis", "category"))


def path(prescription: Prescription) -> str:
    return f"/api/v1/prescriptions/{prescription.pk}"


# --- What verifies it ------------------------------------------------------------------------


def test_reader_by_grant_gets_nothing_that_verifies_it(connection: Connection) -> None:
    prescription = by_another(connection)
    share(connection)
    client = api_client(connection.doctor)

    one = client.get(path(prescription))
    (listed,) = client.get(f"/api/v1/prescriptions/patients/{connection.patient_id}").json()[
        "results"
    ]
    page = page_client(connection.doctor).get(f"/prescriptions/{prescription.pk}")

    assert (one.json()["verification_url"], listed["verification_url"]) == (None, None)
    for answer in (one, page):
        assert answer.status_code == 200
        assert prescription.verification_code not in answer.content.decode()
    assert "For the pharmacy" not in page.content.decode()
    assert 'class="qr"' not in page.content.decode()


def test_reader_by_grant_reads_the_order_alone_by_both_doors(connection: Connection) -> None:
    prescription = by_another(connection)
    hand_out(claim(prescription), (1, 10))
    share(connection)
    app, browser = api_client(connection.doctor), page_client(connection.doctor)

    one = app.get(path(prescription)).json()
    page = browser.get(f"/prescriptions/{prescription.pk}")

    assert one["connection"] is None
    assert [item["medicine"] for item in one["items"]] == ["Amlodipine", "Paracetamol"]
    told = ("dispensed_quantity", "left_quantity", "refills_left", "next_fill_from")
    assert {item[name] for item in one["items"] for name in told} == {None}
    assert {"fills", "visits", "versions", "events"}.isdisjoint(page.context.keys())
    assert "Nile Pharmacy" not in page.content.decode()
    others = [app.get(f"{path(prescription)}/{tail}") for tail in ("versions", "history")]
    assert [answer.status_code for answer in others] == [404, 404]


@pytest.mark.parametrize("side", ["patient", "doctor"])
def test_patient_and_prescriber_get_what_verifies_it(connection: Connection, side: str) -> None:
    prescription, person = issue(connection), getattr(connection, side)

    one = api_client(person).get(path(prescription)).json()
    page = page_client(person).get(f"/prescriptions/{prescription.pk}").content.decode()

    assert one["verification_url"] == prescription.verification_url
    assert "For the pharmacy" in page


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Copy for reading"), ("ar", "نسخة للاطلاع")]
)
@pytest.mark.parametrize("size", ["A4", "A5"])
def test_sheet_of_a_reader_by_grant_is_a_copy(
    connection: Connection, language: str, title: str, size: str
) -> None:
    prescription = by_another(connection)
    share(connection)
    query = {"language": language, "size": size}

    copy = api_client(connection.doctor).get(f"{path(prescription)}/pdf", query)
    original = api_client(connection.patient).get(f"{path(prescription)}/pdf", query)

    assert all(word in Pages(copy.content).texts[0] for word in title.split())
    assert not all(word in Pages(original.content).texts[0] for word in title.split())
    # The code is the page's only picture that has a text of its own.
    assert (b"/Alt" in copy.content, b"/Alt" in original.content) == (False, True)


# --- What is logged --------------------------------------------------------------------------


def test_facts_printed_on_a_sheet_are_logged_and_keep_the_grant_in_use(
    connection: Connection,
) -> None:
    prescription = issue(connection)
    grant = share(connection, DataCategory.FACTS)
    before = len(did(connection.doctor))

    answer = api_client(connection.doctor).get(f"{path(prescription)}/pdf")

    grant.refresh_from_db()
    assert "Female" in Pages(answer.content).texts[0]
    assert did(connection.doctor)[before:] == [
        ("DOWNLOADED", "AUTHOR", ""),
        ("DOWNLOADED", "GRANT", "FACTS"),
    ]
    assert grant.last_used_at is not None


def test_sheet_without_shared_facts_names_no_sex_and_logs_none(connection: Connection) -> None:
    prescription = issue(connection)
    before = len(did(connection.doctor))

    answer = api_client(connection.doctor).get(f"{path(prescription)}/pdf")

    assert "Female" not in Pages(answer.content).texts[0]
    assert did(connection.doctor)[before:] == [("DOWNLOADED", "AUTHOR", "")]


def test_visit_to_the_connection_is_told_as_a_look_at_what_was_prescribed(
    connection: Connection,
) -> None:
    page_client(connection.doctor).get(f"/connections/{connection.pk}")

    told = sentences(AccessEvent.objects.filter(actor_id=connection.doctor_id), who="Dr Nabil")
    assert told == [
        "\u2068Dr Nabil\u2069 looked at the list of your prescriptions, having written this."
    ]


def test_doctor_who_blocks_somebody_never_connected_leaves_no_look(
    doctor: User, patient: User
) -> None:
    RequestFactory(patient=patient, doctor=doctor, rejected=True)
    block(actor=doctor, person_id=patient.pk)
    connection = Connection.objects.get()
    before = AccessEvent.objects.count()

    answers = [
        page_client(doctor).get(f"/connections/{connection.pk}"),
        api_client(doctor).get(f"/api/v1/prescriptions/connections/{connection.pk}"),
        api_client(doctor).get(f"/api/v1/prescriptions/patients/{patient.pk}"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert AccessEvent.objects.count() == before


# --- What may be read is what is held --------------------------------------------------------


def test_list_begun_without_a_grant_holds_the_doctors_own_alone(connection: Connection) -> None:
    own, _other = issue(connection), by_another(connection)

    found = list_of_patient(actor=connection.doctor, patient_id=connection.patient_id)
    share(connection)

    assert [row.pk for row in found] == [own.pk]


def test_what_is_shared_no_more_by_the_time_the_grant_is_held_is_not_read(
    connection: Connection,
) -> None:
    prescription = by_another(connection)
    share(connection)
    before = did(connection.doctor)
    pending = [lambda: share(connection, DataCategory.FACTS)]

    def change_after_the_first_look(execute: Any, sql: str, *args: Any) -> Any:
        result = execute(sql, *args)
        if pending and "prescriptions_prescriptionitem" in sql:
            pending.pop()()
        return result

    with database.execute_wrapper(change_after_the_first_look), pytest.raises(Http404):
        open_prescription(actor=connection.doctor, prescription_id=prescription.pk)

    assert not pending
    assert did(connection.doctor) == before
