"""Who saw one's data, over REST."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Status, User
from accounts.tests.factories import AdminFactory, DoctorFactory
from audit.models import AccessEvent
from audit.services import record_access
from common.ids import uuid7
from connections.models import Connection, DataCategory
from connections.services.cases import answer_case
from connections.services.connections import block
from connections.tests.asking import ask, looked
from medisync.tests.client import api_client, sign_in
from prescriptions.services.reading import open_prescription
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
URL = "/api/v1/access-log"
Action, Basis = AccessEvent.Action, AccessEvent.Basis


def rows(patient: User, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api_client(patient).get(URL, query).json()["results"]
    return found


def plain(text: str) -> str:
    """Without the marks of direction."""
    return text.replace("\u2068", "").replace("\u2069", "")


def test_entry_tells_who_did_what_and_why(patient: User, doctor: User) -> None:
    event = looked(doctor, patient)

    (row,) = rows(patient)

    assert plain(row.pop("sentence")) == (
        "Dr Karim Nabil looked at your allergies, because you share this."
    )
    assert row.pop("at")
    assert row == {
        "id": str(event.pk),
        "actor": {"id": str(doctor.pk), "display_name": "Dr Karim Nabil", "role": "DOCTOR"},
        "action": "READ",
        "category": "ALLERGIES",
        "basis": "GRANT",
        "object": {"type": "accounts.user", "id": str(patient.pk), "url": "/profile/health"},
        "can_question": True,
        "case": None,
    }


def test_sentence_is_in_the_callers_language(patient: User, doctor: User) -> None:
    looked(doctor, patient)

    english, arabic = (
        api_client(patient).get(URL, headers={"Accept-Language": language}).json()
        for language in ("en", "ar")
    )

    assert english["results"][0]["object"] == arabic["results"][0]["object"]
    assert arabic["results"][0]["actor"]["display_name"] == "د. Karim Nabil"


def test_prescription_leads_to_its_page(connection: Connection) -> None:
    prescription = issue(connection)
    open_prescription(actor=connection.doctor, prescription_id=prescription.pk)

    opened, issued, checked = rows(connection.patient)

    assert plain(opened["sentence"]) == (
        "Dr Karim Nabil looked at a prescription of yours, having written this."
    )
    assert plain(issued["sentence"]) == "Dr Karim Nabil issued a prescription for you."
    assert plain(checked["sentence"]).startswith("Dr Karim Nabil had a medicine compared")
    assert opened["object"]["url"] == f"/prescriptions/{prescription.pk}"


def test_only_the_own_log_is_seen(patient: User, stranger: User, doctor: User) -> None:
    event = looked(doctor, patient)

    assert rows(stranger) == []
    assert api_client(stranger).get(f"{URL}/{event.pk}").status_code == 404
    assert api_client(patient).get(f"{URL}/{event.pk}").json()["id"] == str(event.pk)


def test_own_acts_come_only_where_they_are_asked_for(patient: User, doctor: User) -> None:
    looked(patient, patient)
    looked(doctor, patient)

    assert [row["basis"] for row in rows(patient)] == ["GRANT"]
    assert [row["basis"] for row in rows(patient, by="all")] == ["GRANT", "SELF"]
    own = rows(patient, by="all")[1]
    assert own["sentence"] == "You looked at your allergies."
    assert own["can_question"] is False


def test_who_blocks_is_not_told(patient: User, doctor: User, connection: Connection) -> None:
    block(actor=doctor, person_id=patient.pk)

    told = rows(patient, by="all")

    assert [row["action"] for row in told] == ["CONNECTION_ENDED"]
    assert rows(patient, action="BLOCKED") == []


def test_own_block_is(patient: User, doctor: User, connection: Connection) -> None:
    block(actor=patient, person_id=doctor.pk)

    assert rows(patient, by="all", action="BLOCKED")[0]["sentence"] == "You blocked a doctor."


def test_somebody_with_the_paper_has_no_name(patient: User) -> None:
    looked(None, patient, action=Action.VERIFIED, basis=Basis.QR, category="")

    (row,) = rows(patient)

    assert row["actor"] == {
        "id": None,
        "display_name": "Somebody with your printed prescription",
        "role": "",
    }


def test_anonymised_and_unknown_people_read_as_such(patient: User, doctor: User) -> None:
    User.objects.filter(pk=doctor.pk).update(status=Status.ANONYMISED)
    looked(doctor, patient)
    record_access(
        actor_id=uuid7(),
        patient_id=patient.pk,
        action=Action.READ,
        target=patient,
        basis=Basis.CARE,
    )

    names = [row["actor"]["display_name"] for row in rows(patient)]

    assert names == ["An account that no longer exists", "Somebody whose account was anonymised"]


def test_newest_question_stands_beside_the_access(patient: User, doctor: User) -> None:
    event = looked(doctor, patient)
    first = ask(patient, event, "Why?")
    answer_case(session=sign_in(AdminFactory()), case_id=first.pk, answer="By mistake.")

    (answered,) = rows(patient)
    second = ask(patient, event, "Whose mistake?")
    (asked,) = rows(patient)

    assert answered["case"]["answer"] == "By mistake."
    assert answered["can_question"] is True
    assert asked["case"]["id"] == str(second.pk)
    assert asked["can_question"] is False


def test_questions_are_listed_with_their_answers(
    patient: User, stranger: User, doctor: User
) -> None:
    case = ask(patient, looked(doctor, patient), "Why?")

    listed = api_client(patient).get(f"{URL}/cases").json()["results"]

    assert [(row["id"], row["question"], row["status"]) for row in listed] == [
        (str(case.pk), "Why?", "OPEN")
    ]
    assert api_client(stranger).get(f"{URL}/cases").json()["results"] == []


@pytest.fixture
def week(patient: User, doctor: User, other_doctor: User) -> dict[str, AccessEvent]:
    """Three acts, each a day after the other."""
    now, acts = timezone.now(), {}
    made = {
        "allergies": (doctor, {}),
        "reports": (doctor, {"category": DataCategory.REPORT, "action": Action.LISTED}),
        "other": (other_doctor, {}),
    }
    for day, (name, (actor, fields)) in enumerate(made.items()):
        with time_machine.travel(now - dt.timedelta(days=5 - day), tick=False):
            acts[name] = looked(actor, patient, **fields)
    return acts


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["other", "reports", "allergies"]),
        ({"category": "ALLERGIES"}, ["other", "allergies"]),
        ({"action": "LISTED"}, ["reports"]),
        ({"actor_id": "doctor"}, ["reports", "allergies"]),
        ({"since": "reports"}, ["other", "reports"]),
        ({"until": "reports"}, ["allergies"]),
        ({"since": "reports", "until": "other", "category": "REPORT"}, ["reports"]),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_log_is_narrowed(
    patient: User,
    doctor: User,
    week: dict[str, AccessEvent],
    query: dict[str, str],
    expected: list[str],
) -> None:
    known = {name: event.created_at.isoformat() for name, event in week.items()}
    known["doctor"] = str(doctor.pk)

    found = rows(patient, **{name: known.get(value, value) for name, value in query.items()})

    names = {str(event.pk): name for name, event in week.items()}
    assert [names[row["id"]] for row in found] == expected


def test_prescriptions_are_found_whether_shared_or_written(connection: Connection) -> None:
    issue(connection)
    looked(connection.doctor, connection.patient, category=DataCategory.PRESCRIPTIONS)
    looked(connection.doctor, connection.patient)

    found = rows(connection.patient, category="PRESCRIPTIONS")

    assert [row["action"] for row in found] == ["READ", "ISSUED"]


@pytest.mark.parametrize("wrong", ["by=me", "categroy=FACTS", "since=yesterday", "actor_id=7"])
def test_question_that_is_not_understood_is_refused(patient: User, wrong: str) -> None:
    assert api_client(patient).get(f"{URL}?{wrong}").status_code == 400


@pytest.mark.parametrize("who", ["doctor", "admin"])
def test_only_patients_have_a_log(who: str, request: pytest.FixtureRequest) -> None:
    client = api_client(request.getfixturevalue(who))

    assert [client.get(f"{URL}{path}").status_code for path in ("", "/cases")] == [403, 403]


def test_pages_follow_one_another(patient: User, doctor: User) -> None:
    made = [str(looked(doctor, patient).pk) for _ in range(5)]
    client = api_client(patient)

    first = client.get(URL, {"limit": 3}).json()
    second = client.get(first["next"]).json()

    assert [row["id"] for row in first["results"] + second["results"]] == made[::-1]
    assert second["next"] is None


def test_list_asks_a_fixed_number_of_questions(patient: User, django_assert_num_queries) -> None:
    ask(patient, looked(DoctorFactory(), patient))
    client = api_client(patient)
    # The session, the acts, what was asked about them, and who did them.
    with django_assert_num_queries(4):
        client.get(URL)
    for _ in range(6):
        ask(patient, looked(DoctorFactory(), patient))

    with django_assert_num_queries(4):
        found = client.get(URL).json()["results"]

    assert len({row["actor"]["id"] for row in found}) == 7
