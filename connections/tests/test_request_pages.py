"""The lists and pages of requests, by both doors."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Status, User
from accounts.tests.factories import PatientFactory
from connections.models import Connection, ConnectionRequest
from connections.services.connections import block
from connections.tests.factories import ConnectionFactory, RequestFactory
from connections.views.requests import QUEUE
from medisync.tests.client import api_client, page_client

pytestmark = pytest.mark.django_db
LIST = "/requests"
STATES = ("PENDING", "ACCEPTED", "REJECTED", "CANCELLED", "EXPIRED")


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def test_each_side_sees_its_own(patient: User, doctor: User, stranger: User) -> None:
    mine = RequestFactory(patient=patient, doctor=doctor)
    RequestFactory(patient=stranger)

    for who, other in ((patient, "Dr Karim Nabil"), (doctor, "Mona Adel")):
        rows = api_client(who).get("/api/v1/requests/all").json()["results"]
        page = page_client(who).get(LIST).content.decode()
        assert ids(rows) == [str(mine.pk)]
        assert other in page
        assert f"/requests/{mine.pk}" in page


def test_app_filters_by_how_it_stands(doctor: User) -> None:
    made = {
        "PENDING": RequestFactory(doctor=doctor),
        "REJECTED": RequestFactory(doctor=doctor, rejected=True),
        "CANCELLED": RequestFactory(doctor=doctor, cancelled=True),
        "EXPIRED": RequestFactory(doctor=doctor, expired=True),
    }
    overdue = RequestFactory(doctor=doctor, overdue=True)
    client = api_client(doctor)

    found = {
        state: ids(client.get(f"/api/v1/requests/all?status={state}").json()["results"])
        for state in STATES
    }

    expected = {state: [str(row.pk)] for state, row in made.items()} | {"ACCEPTED": []}
    assert found == expected | {"EXPIRED": [str(overdue.pk), *expected["EXPIRED"]]}
    assert ids(client.get("/api/v1/requests/pending").json()["results"]) == found["PENDING"]


def test_patient_and_doctor_of_a_list_are_names_and_not_addresses(
    patient: User, doctor: User
) -> None:
    RequestFactory(patient=patient, doctor=doctor)

    text = api_client(doctor).get("/api/v1/requests/all").content.decode()

    assert "Mona Adel" in text
    for hidden in (patient.email, "+2010", "1990-05-17"):
        assert hidden not in text


def test_doctor_begins_with_who_waits_longest(doctor: User) -> None:
    requests = RequestFactory.create_batch(QUEUE + 3, doctor=doctor)
    answered = RequestFactory(doctor=doctor, rejected=True)

    answer = page_client(doctor).get(LIST)

    assert list(answer.context["waiting"]) == requests[:QUEUE]
    assert answer.context["waiting_count"] == QUEUE + 3
    assert [row for row, _state in answer.context["rows"]] == [answered]
    assert f"Of {QUEUE + 3} that wait" in answer.content.decode()


def test_earlier_ones_are_read_page_by_page(doctor: User) -> None:
    RequestFactory.create_batch(25, doctor=doctor, rejected=True)
    browser = page_client(doctor)

    first = browser.get(LIST).context["page"]
    second = browser.get(f"{LIST}{first.older[first.older.index('?') :]}").context["page"]

    assert (len(first.rows), len(second.rows)) == (20, 5)


def test_empty_lists_say_what_to_do(patient: User, doctor: User) -> None:
    assert 'href="/doctors"' in page_client(patient).get(LIST).content.decode()
    assert "Nobody is waiting" in page_client(doctor).get(LIST).content.decode()


@pytest.mark.parametrize("side", ["patient", "doctor"])
@pytest.mark.parametrize(
    ("path", "queries"),
    # The app: session and user, and the rows. The page: cookie, session, those that wait, their
    # number, earlier ones, unread messages and notifications.
    [("/api/v1/requests/all", 2), ("/api/v1/requests/pending", 2), (LIST, 7)],
)
def test_lists_ask_a_fixed_number_of_questions(
    side: str, path: str, queries: int, django_assert_num_queries: Any
) -> None:
    first = RequestFactory()
    who = {side: getattr(first, side)}
    client = api_client(who[side]) if path.startswith("/api") else page_client(who[side])
    with django_assert_num_queries(queries):
        client.get(path)
    for number in range(6):
        RequestFactory(**who, rejected=bool(number % 2))

    with django_assert_num_queries(queries):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("side", ["patient", "doctor"])
def test_opening_one_asks_a_fixed_number_of_questions(
    side: str, django_assert_max_num_queries: Any
) -> None:
    request = RequestFactory(categories=["ALLERGIES"], notes="A cough.")
    client = page_client(getattr(request, side))

    with django_assert_max_num_queries(14):
        assert client.get(f"/requests/{request.pk}").status_code == 200


def test_doctor_is_offered_to_answer_and_the_patient_to_withdraw(
    patient: User, doctor: User
) -> None:
    request = RequestFactory(patient=patient, doctor=doctor)
    verbs = ("accept", "reject", "cancel")

    offered = {
        who: [
            verb
            for verb in verbs
            if f'action="/requests/{request.pk}/{verb}"'
            in page_client(who).get(f"/requests/{request.pk}").content.decode()
        ]
        for who in (patient, doctor)
    }

    assert offered == {patient: ["cancel"], doctor: ["accept", "reject"]}


def test_what_would_be_shared_is_said_in_words(patient: User, doctor: User) -> None:
    request = RequestFactory(
        patient=patient,
        doctor=doctor,
        categories=["ALLERGIES"],
        data_from=dt.date(2025, 3, 1),
        purpose="SECOND_OPINION",
    )

    for who in (patient, doctor):
        page = page_client(who).get(f"/requests/{request.pk}").content.decode()
        for words in ("Allergies", "March 1, 2025", "until it is taken back", "Second opinion"):
            assert words in page


def test_what_people_write_is_text(patient: User, doctor: User) -> None:
    request = RequestFactory(patient=patient, doctor=doctor, notes="<script>alert(1)</script>")

    page = page_client(doctor).get(f"/requests/{request.pk}").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("answer", ["rejected", "cancelled", "expired", "overdue"])
def test_patient_is_offered_to_ask_again(patient: User, doctor: User, answer: str) -> None:
    closed = RequestFactory(patient=patient, doctor=doctor, **{answer: True})
    offer = f"/doctors/{doctor.pk}/request"

    assert offer in page_client(patient).get(f"/requests/{closed.pk}").content.decode()
    assert offer not in page_client(doctor).get(f"/requests/{closed.pk}").content.decode()


def test_who_is_blocked_is_offered_to_ask_again_like_everybody(patient: User, doctor: User) -> None:
    """Only asking is refused: a button that is gone would tell of the block."""
    closed = RequestFactory(patient=patient, doctor=doctor, rejected=True)
    ended = ConnectionFactory(patient=patient, doctor=doctor, ended=True)
    offer = f"/doctors/{doctor.pk}/request"
    browser = page_client(patient)
    pages = (f"/requests/{closed.pk}", f"/connections/{ended.pk}")

    block(actor=doctor, person_id=patient.pk)

    answer = browser.post(offer, {"since": "all", "until": "open", "purpose": "TREATMENT"})
    assert all(offer in browser.get(page).content.decode() for page in pages)
    assert browser.get(offer).status_code == 200
    assert answer.status_code == 409
    assert "does not take patients here at present" in answer.content.decode()


def test_who_blocks_is_not_offered_to_ask(patient: User, doctor: User) -> None:
    closed = RequestFactory(patient=patient, doctor=doctor, rejected=True)
    ended = ConnectionFactory(patient=patient, doctor=doctor, ended=True)
    offer = f"/doctors/{doctor.pk}/request"
    browser = page_client(patient)

    block(actor=patient, person_id=doctor.pk)

    for page in (f"/requests/{closed.pk}", f"/connections/{ended.pk}"):
        assert offer not in browser.get(page).content.decode()
    assert browser.get(offer).status_code == 409


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.ANONYMISED])
def test_page_of_a_doctor_who_is_not_to_be_had_says_so(
    patient: User, doctor: User, status: Status
) -> None:
    User.objects.filter(pk=doctor.pk).update(status=status)

    answer = page_client(patient).get(f"/doctors/{doctor.pk}/request")

    assert answer.status_code == 409
    assert "does not take patients here at present" in answer.content.decode()


def test_home_shows_who_waits(patient: User, doctor: User) -> None:
    request = RequestFactory(patient=patient, doctor=doctor)
    RequestFactory(patient=PatientFactory(), doctor=doctor, overdue=True)

    for who in (patient, doctor):
        answer = page_client(who).get("/")
        assert f"/requests/{request.pk}" in answer.content.decode()
        assert len(answer.context["requests"]) == 1
    assert answer.context["request_count"] == 1


def test_list_of_connections_counts_who_waits(doctor: User) -> None:
    RequestFactory.create_batch(3, doctor=doctor)
    RequestFactory(doctor=doctor, overdue=True)

    assert page_client(doctor).get("/connections").context["waiting_count"] == 3


def test_connection_offers_what_each_side_may_do(connection: Connection) -> None:
    page = f"/connections/{connection.pk}"
    verbs = {
        "availability": f"{page}/availability",
        "end": f"{page}/end",
        "patient blocks": f"/people/{connection.doctor_id}/block",
        "doctor blocks": f"/people/{connection.patient_id}/block",
    }

    offered = {
        side: {
            name
            for name, url in verbs.items()
            if url in page_client(getattr(connection, side)).get(page).content.decode()
        }
        for side in ("patient", "doctor")
    }

    assert offered == {
        "patient": {"end", "patient blocks"},
        "doctor": {"availability", "end", "doctor blocks"},
    }


def test_queries_of_states_agree_with_the_rows() -> None:
    """`in_state` and `state` are one rule, written for the database and for Python."""
    for traits in ({}, {"overdue": True}, {"rejected": True}, {"cancelled": True},
                   {"expired": True}, {"rejected": True, "overdue": True}):  # fmt: skip
        RequestFactory(**traits)
    now = timezone.now()
    rows = ConnectionRequest.objects.order_by("id")

    for state in STATES:
        found = ConnectionRequest.objects.in_state(state, now).order_by("id")
        assert list(found) == [row for row in rows if row.state(now) == state]
    waiting = {row.pk for row in ConnectionRequest.objects.waiting(now)}
    over = {row.pk for row in ConnectionRequest.objects.over(now)}
    assert waiting | over == {row.pk for row in rows}
    assert not waiting & over
