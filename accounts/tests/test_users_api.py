"""`/users`: the accounts as administrators see them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Role, Status, Totp, User
from accounts.services.registration import PatientDetails, complete_patient_profile
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from accounts.tests.registering import NATIONAL_ID, verified
from medisync.tests.client import api_client, sign_in

pytestmark = pytest.mark.django_db
USERS = "/api/v1/users"


def emails(client: Any, **query: Any) -> list[str]:
    return [user["email"] for user in client.get(USERS, query).data["results"]]


def test_list_is_newest_first_and_counted(admin: User, patient: User, doctor: User) -> None:
    answer = api_client(admin).get(USERS, {"limit": 2}).data

    assert answer["count"] == 3
    assert [user["id"] for user in answer["results"]] == [str(doctor.pk), str(patient.pk)]
    assert answer["next"] == f"http://testserver{USERS}?limit=2&page=2"
    assert answer["previous"] is None


def test_list_tells_who_has_a_second_factor(admin: User, patient: User, doctor: User) -> None:
    Totp.objects.create(user=doctor, seed="x", confirmed_at=timezone.now())
    Totp.objects.create(user=patient, seed="x")

    results = api_client(admin).get(USERS).data["results"]

    assert {user["email"] for user in results if user["second_factor"]} == {doctor.email}


def test_page_holds_at_most_a_hundred(admin: User) -> None:
    User.objects.bulk_create(
        User(email=f"n{n}@example.org", role=Role.PATIENT, first_name="N", last_name="N")
        for n in range(101)
    )

    answer = api_client(admin).get(USERS, {"limit": 1000}).data

    assert (len(answer["results"]), answer["count"]) == (100, 102)


@pytest.mark.parametrize("page", ["0", "-1", "99", "x", "9" * 40])
def test_page_that_is_not_there_is_not_found(admin: User, page: str) -> None:
    assert api_client(admin).get(USERS, {"page": page}).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"role": "DOCTOR"}, {"pending@x.org", "doctor@x.org"}),
        ({"status": "PENDING_APPROVAL"}, {"pending@x.org"}),
        ({"status": "SUSPENDED"}, {"suspended@x.org"}),
        ({"is_active": "false"}, {"suspended@x.org"}),
        ({"is_active": "true", "role": "PATIENT"}, {"patient@x.org"}),
        ({"role": "DOCTOR", "status": "SUSPENDED"}, set()),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_filters_narrow_together(admin: User, query: dict[str, str], found: set[str]) -> None:
    PatientFactory(email="patient@x.org")
    PatientFactory(email="suspended@x.org", status=Status.SUSPENDED)
    DoctorFactory(email="doctor@x.org")
    DoctorFactory(email="pending@x.org", status=Status.PENDING_APPROVAL)

    assert set(emails(api_client(admin), **query)) == found


@pytest.mark.parametrize(
    ("search", "is_found"),
    [
        ("mona", True),
        ("MONA ADEL", True),
        ("adel mona", True),
        ("ona.ad", True),
        ("01112223334", True),
        ("منى", False),
        ("mona zaki", False),
        ("m%a", False),
        ("mon_", False),
        ("mona\\", False),
        ("'; --", False),
    ],
)
def test_search_takes_every_word_as_it_is_written(admin: User, search: str, is_found: bool) -> None:
    PatientFactory(
        email="mona.adel@x.org", first_name="Mona", last_name="Adel", phone="+201112223334"
    )

    assert emails(api_client(admin), search=search) == ["mona.adel@x.org"] * is_found


def test_search_finds_what_is_written_with_a_percent_sign(admin: User) -> None:
    PatientFactory(email="a%b@x.org")
    PatientFactory(email="axb@x.org")

    assert emails(api_client(admin), search="a%b") == ["a%b@x.org"]


def test_search_finds_arabic_names(admin: User) -> None:
    PatientFactory(email="mona@x.org", first_name="منى", last_name="عادل")

    assert emails(api_client(admin), search="عادل") == ["mona@x.org"]


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("email", ["a@x.org", "b@x.org", "c@x.org"]),
        ("-email", ["c@x.org", "b@x.org", "a@x.org"]),
        ("created_at", ["c@x.org", "a@x.org", "b@x.org"]),
        ("-last_login", ["b@x.org", "a@x.org", "c@x.org"]),
        ("last_login", ["a@x.org", "b@x.org", "c@x.org"]),
    ],
)
def test_order_is_chosen(admin: User, ordering: str, expected: list[str]) -> None:
    now = timezone.now()
    PatientFactory(email="c@x.org")
    PatientFactory(email="a@x.org", last_login=now - dt.timedelta(days=1))
    PatientFactory(email="b@x.org", last_login=now)

    assert emails(api_client(admin), ordering=ordering, role="PATIENT") == expected


@pytest.mark.parametrize(
    "query",
    [
        {"role": "NURSE"},
        {"status": "active"},
        {"is_active": "perhaps"},
        {"ordering": "password"},
        {"search": "a\x00b"},
        {"search": "x" * 101},
        {"password__startswith": "argon2"},
    ],
    ids=str,
)
def test_wrong_filter_is_refused(admin: User, query: dict[str, str]) -> None:
    answer = api_client(admin).get(USERS, query)

    assert answer.status_code == 400
    assert answer.data["errors"][0]["attr"] == next(iter(query))


def test_list_asks_the_same_few_queries_however_long_it_is(
    admin: User, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        DoctorFactory()
    client = api_client(admin)

    # The session, the count, the page.
    with django_assert_num_queries(3):
        client.get(USERS)


def test_account_of_a_patient_shows_four_digits_of_the_national_id(admin: User) -> None:
    user = verified(email="mona@example.org")
    complete_patient_profile(
        user_id=user.pk, details=PatientDetails(phone="+201001234567", national_id=NATIONAL_ID)
    )
    sign_in(user)

    answer = api_client(admin).get(f"{USERS}/{user.pk}")

    assert NATIONAL_ID.encode() not in answer.content
    assert answer.data["patient_profile"] == {
        "birth_date": "1990-05-17",
        "sex": "FEMALE",
        "has_national_id": True,
        "national_id_ending": NATIONAL_ID[-4:],
    }
    assert (answer.data["session_count"], answer.data["second_factor"]) == (1, False)
    assert answer.data["last_login"] is not None
    assert answer.data["doctor_profile"] is None


def test_account_of_a_doctor_shows_the_licence_and_no_document(admin: User, doctor: User) -> None:
    answer = api_client(admin).get(f"{USERS}/{doctor.pk}")

    profile = answer.data["doctor_profile"]
    assert profile["licence_number"] == doctor.doctor_profile.licence_number
    assert profile["specialization"] == "Cardiology"
    assert b"document" not in answer.content
    assert answer.data["patient_profile"] is None


def test_account_without_a_national_id_says_so(admin: User, patient: User) -> None:
    profile = api_client(admin).get(f"{USERS}/{patient.pk}").data["patient_profile"]

    assert (profile["has_national_id"], profile["national_id_ending"]) == (False, None)


@pytest.mark.parametrize(
    ("path", "others"),
    # A doctor may find a chart at the address of a patient, and to anybody else there is nothing.
    [("", 403), ("/stats", 403), ("/{pk}", 404)],
)
def test_only_administrators_with_a_second_factor_may_look(
    admin: User, patient: User, doctor: User, path: str, others: int
) -> None:
    url = f"{USERS}{path.format(pk=patient.pk)}"
    clients = [api_client(), api_client(patient), api_client(doctor), api_client(admin, factor="")]

    assert [client.get(url).status_code for client in clients] == [401, others, others, 403]


def test_administrator_without_a_second_factor_is_told_why(admin: User) -> None:
    answer = api_client(admin, factor="").get(USERS)

    assert answer.data["errors"][0]["code"] == "second_factor_required"


def test_administrator_closed_since_is_turned_away(admin: User) -> None:
    client = api_client(AdminFactory())
    User.objects.exclude(pk=admin.pk).update(status=Status.INACTIVE)

    assert client.get(USERS).status_code == 401
