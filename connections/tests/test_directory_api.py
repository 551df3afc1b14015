"""`/doctors`: who looks, at whom, and how little they are told of the person."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Status, User
from accounts.tests.factories import AdminFactory, DoctorFactory
from medisync.tests.client import api_client
from specializations.models import Specialization

pytestmark = pytest.mark.django_db
URL = "/api/v1/doctors"


@pytest.fixture
def doctor(doctor: User) -> User:
    profile = doctor.doctor_profile
    profile.bio, profile.clinic_address, profile.city = "Listens.", "7 Nile Street", "Maadi"
    profile.governorate, profile.languages = "EG-C", ["ar", "fr"]
    profile.years_of_experience, profile.consultation_fee = 12, 350
    profile.save()
    return doctor


def names(user: User, **query: Any) -> list[str]:
    rows = api_client(user).get(URL, query).json()["results"]
    return [row["display_name"] for row in rows]


@pytest.mark.parametrize("who", ["patient", "doctor", "admin"])
def test_whoever_is_in_good_standing_looks(
    who: str, doctor: User, request: pytest.FixtureRequest
) -> None:
    assert names(request.getfixturevalue(who)) == ["Dr Karim Nabil"]


def test_applicants_and_strangers_do_not(doctor: User) -> None:
    applicant = DoctorFactory(status=Status.PENDING_APPROVAL)

    assert api_client(applicant).get(URL).status_code == 403
    assert api_client().get(URL).status_code == 401


def test_practice_is_told_and_the_person_is_not(patient: User, doctor: User) -> None:
    answer = api_client(patient).get(f"{URL}/{doctor.pk}")

    row = answer.json()
    assert row.pop("specialization")["code"] == "cardiology"
    assert row == {
        "id": str(doctor.pk),
        "display_name": "Dr Karim Nabil",
        "first_name": "Karim",
        "last_name": "Nabil",
        "city": "Maadi",
        "governorate": "EG-C",
        "languages": ["ar", "fr"],
        "years_of_experience": 12,
        "consultation_fee": "350.00",
        "bio": "Listens.",
        "clinic_address": "7 Nile Street",
    }


def test_line_of_the_list_is_shorter(patient: User, doctor: User) -> None:
    (row,) = api_client(patient).get(URL).json()["results"]

    assert not {"bio", "clinic_address", "email", "phone", "licence_number"} & row.keys()


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.INACTIVE, Status.PENDING_APPROVAL])
def test_doctor_who_does_not_practise_here_is_not_there(
    patient: User, doctor: User, status: Status
) -> None:
    User.objects.filter(pk=doctor.pk).update(status=status)

    assert names(patient) == []
    assert api_client(patient).get(f"{URL}/{doctor.pk}").status_code == 404


def test_patient_is_no_doctor(patient: User, stranger: User) -> None:
    assert api_client(patient).get(f"{URL}/{stranger.pk}").status_code == 404


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ({"search": "kareem maadi"}, True),
        ({"search": "جلدية"}, False),
        ({"specialization": "cardiology"}, True),
        ({"city": "El Maadi", "governorate": "EG-C"}, True),
        ({"governorate": "EG-ALX"}, False),
        ({"language": "fr", "min_fee": "350", "max_fee": "350.00"}, True),
        ({"max_fee": "349.99"}, False),
    ],
)
def test_search_and_filters_go_together(
    patient: User, doctor: User, query: dict[str, str], is_found: bool
) -> None:
    assert (names(patient, **query) == ["Dr Karim Nabil"]) is is_found


@pytest.mark.parametrize(
    "query",
    [
        {"search": "x" * 101}, {"search": "a\x00b"}, {"specialization": "alchemy"},
        {"city": "x" * 81}, {"governorate": "EG-X"}, {"language": "xx"}, {"min_fee": "cheap"},
        {"max_fee": "-1"}, {"max_fee": "1e9"}, {"max_fee": "NaN"}, {"limit": "0"},
        {"limit": "101"}, {"limit": "x"}, {"cursor": "x" * 61}, {"unknown": "1"},
    ],
)  # fmt: skip
def test_wrong_query_is_refused(patient: User, query: dict[str, str]) -> None:
    answer = api_client(patient).get(URL, query)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] in query


def test_cursor_that_was_not_made_here_is_not_found(patient: User) -> None:
    assert api_client(patient).get(URL, {"cursor": "x"}).status_code == 404


def test_next_leads_through_all_of_the_same_search(patient: User) -> None:
    for number in range(5):
        DoctorFactory(first_name="Mona", last_name=f"Adel{number}")
    DoctorFactory(first_name="Boutros", last_name="Ghali")
    client, url, seen = api_client(patient), f"{URL}?search=mona&limit=2", []

    while url:
        page = client.get(url).json()
        seen += [row["last_name"] for row in page["results"]]
        url = page["next"]

    assert seen == ["Adel4", "Adel3", "Adel2", "Adel1", "Adel0"]


def test_list_takes_the_same_queries_however_long(
    patient: User, doctor: User, django_assert_num_queries: Any
) -> None:
    client = api_client(patient)
    with django_assert_num_queries(3):  # session, entries, profiles
        client.get(URL)
    DoctorFactory.create_batch(4)

    with django_assert_num_queries(3):
        assert len(client.get(URL).json()["results"]) == 5


def test_retired_specialty_still_finds_its_doctors(patient: User, doctor: User) -> None:
    Specialization.objects.filter(code="cardiology").update(is_retired=True)

    assert names(patient, specialization="cardiology") == ["Dr Karim Nabil"]


def test_administrator_without_second_factor_looks_too(doctor: User) -> None:
    client = api_client(AdminFactory(), factor="")

    assert client.get(URL).status_code == 200
