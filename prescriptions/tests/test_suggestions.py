"""Suggestions while a doctor types a medicine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from accounts.models import User
from common.errors import NotAllowed
from connections.models import Connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client, page_client
from prescriptions.models import StopReason
from prescriptions.services.stopping import stop_prescription
from prescriptions.services.suggestions import Suggestion, suggest_medicines
from prescriptions.tests.factories import AMLODIPINE, PARACETAMOL, issue

pytestmark = pytest.mark.django_db


def names(doctor: User, text: str) -> list[str]:
    return [each.medicine for each in suggest_medicines(actor=doctor, text=text)]


def own(doctor: User, text: str) -> list[Suggestion]:
    return [each for each in suggest_medicines(actor=doctor, text=text) if each.is_own]


def test_international_names_are_suggested(doctor: User) -> None:
    assert "amlodipine" in names(doctor, "amlo")


def test_synonym_says_what_it_stands_for(doctor: User) -> None:
    said = api_client(doctor).get("/api/v1/medicines", {"q": "amox"}).json()

    stands_for = {each["medicine"]: each["stands_for"] for each in said}
    assert said[0]["medicine"] == "amoxicillin"
    assert (stands_for["amoxicillin"], stands_for["amox"]) == ("", "amoxicillin")


def test_what_the_doctor_prescribes_comes_first_with_how(
    connection: Connection, doctor: User
) -> None:
    issue(connection)

    first = suggest_medicines(actor=doctor, text="AML")[0]

    assert (first.medicine, first.strength, first.frequency, first.duration_days) == (
        "Amlodipine",
        "5 mg",
        1,
        30,
    )
    assert first.quantity == 30


def test_name_is_suggested_once(connection: Connection, doctor: User) -> None:
    issue(connection)
    issue(connection)

    assert [name.lower() for name in names(doctor, "amlod")].count("amlodipine") == 1


def test_each_strength_is_suggested_as_it_was_prescribed_last(
    connection: Connection, doctor: User
) -> None:
    issue(connection, items=[AMLODIPINE])
    issue(connection, items=[replace(AMLODIPINE, strength="10 mg")])
    issue(connection, items=[replace(AMLODIPINE, quantity=60)])

    found = [(each.strength, each.quantity) for each in own(doctor, "amlodipine")]

    assert found == [("5 mg", 60), ("10 mg", 30)]


def test_later_word_of_a_name_is_found(connection: Connection, doctor: User) -> None:
    issue(connection, items=[replace(PARACETAMOL, medicine="Cod liver oil")])

    assert own(doctor, "liv")[0].medicine == "Cod liver oil"


def test_instructions_and_diagnosis_of_another_patient_stay_with_them(
    connection: Connection, doctor: User
) -> None:
    issue(connection, items=[replace(AMLODIPINE, instructions="For Mona only.")])

    said = api_client(doctor).get("/api/v1/medicines", {"q": "amlo"}).content.decode()

    assert "Mona" not in said
    assert "Hypertension" not in said


def test_history_of_another_doctor_is_not_suggested(
    connection: Connection, other_doctor: User
) -> None:
    issue(connection, items=[replace(AMLODIPINE, medicine="Cod liver oil")])

    assert names(other_doctor, "cod liver") == []


def test_what_was_written_by_mistake_is_not_suggested(connection: Connection, doctor: User) -> None:
    mistake = issue(connection)
    stop_prescription(actor=doctor, prescription_id=mistake.pk, reason=StopReason.ENTERED_IN_ERROR)

    assert own(doctor, "amlo") == []


@pytest.mark.parametrize("text", ["", " ", "a", "%", "__", "zzzz"])
def test_too_little_or_unknown_suggests_nothing(
    connection: Connection, doctor: User, text: str
) -> None:
    issue(connection)

    assert names(doctor, text) == []


def test_ten_are_suggested_at_most(doctor: User) -> None:
    assert len(names(doctor, "am")) == 10


def test_only_doctors_are_helped(patient: User) -> None:
    with pytest.raises(NotAllowed):
        suggest_medicines(actor=patient, text="amlo")


def test_browser_gets_what_the_api_answers(connection: Connection, doctor: User) -> None:
    issue(connection)
    query = {"q": "para"}

    from_api = api_client(doctor).get("/api/v1/medicines", query)
    from_page = page_client(doctor).get("/medicines", query)

    assert from_api.json() == from_page.json()
    assert from_api.json()[0]["dosage"] == "Take by mouth as needed"
    assert from_api.json()[1]["dosage"] == ""


@pytest.mark.parametrize(
    ("query", "on_page"), [("q=%00am", 200), ("q=" + "x" * 201, 200), ("z=1", 200)], ids=range(3)
)
def test_hostile_query_is_refused(doctor: User, query: str, on_page: int) -> None:
    assert api_client(doctor).get(f"/api/v1/medicines?{query}").status_code == 400
    assert page_client(doctor).get(f"/medicines?{query}").status_code == on_page


def test_it_takes_one_query_however_long_the_history(
    connection: Connection, doctor: User, django_assert_num_queries: Any
) -> None:
    for patient_connection in (connection, ConnectionFactory(doctor=doctor)):
        issue(patient_connection)

    with django_assert_num_queries(1):
        suggest_medicines(actor=doctor, text="amlo")
