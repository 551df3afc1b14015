"""The directory's pages: finding, and coming to a doctor."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Status, User
from accounts.tests.factories import DoctorFactory
from connections.models import Connection, ConnectionRequest
from medisync.tests.client import page_client
from specializations.models import Specialization

pytestmark = pytest.mark.django_db
LIST = "/doctors"


def shown(user: User, path: str, query: dict[str, str] | None = None) -> str:
    return page_client(user).get(path, query or {}).content.decode()


def test_first_view_shows_specialties_with_their_counts_and_everybody(
    patient: User, doctor: User
) -> None:
    Specialization.objects.create(code="alchemy", name_en="Alchemy", name_ar="خيمياء")

    page = shown(patient, LIST)

    assert 'href="/doctors?specialization=cardiology"' in page
    assert "Alchemy</bdi>" not in page
    assert f'href="/doctors/{doctor.pk}"' in page


def test_typed_and_chosen_words_stay_in_the_form(patient: User, doctor: User) -> None:
    query = {"search": "kareem", "specialization": "cardiology", "city": "Tanta"}

    page = shown(patient, LIST, query)

    assert 'value="kareem"' in page
    assert 'value="Tanta"' in page
    assert '<option value="cardiology" selected>' in page
    assert '<details class="disclosure" open>' in page


def test_nobody_found_says_what_to_do(patient: User, doctor: User) -> None:
    page = shown(patient, LIST, {"search": "zzzz"})

    assert "Try fewer words" in page
    assert f'href="{LIST}"' in page


def test_empty_directory_says_when_it_fills(patient: User) -> None:
    assert "As soon as a doctor has been approved" in shown(patient, LIST)


@pytest.mark.parametrize(
    "query",
    [
        {"max_fee": "cheap"}, {"governorate": "EG-X"}, {"specialization": "x"},
        {"search": "x" * 101}, {"language": "xx"}, {"search": "a\x00"},
    ],
)  # fmt: skip
def test_wrong_query_is_explained_in_the_form(
    patient: User, doctor: User, query: dict[str, str]
) -> None:
    answer = page_client(patient).get(LIST, query)

    assert answer.status_code == 400
    assert "field__errors" in answer.content.decode()
    assert str(doctor.pk) not in answer.content.decode()


@pytest.mark.parametrize("cursor", ["x", "9-0", "é"])
def test_cursor_that_was_not_made_here_is_not_found(patient: User, cursor: str) -> None:
    assert page_client(patient).get(LIST, {"cursor": cursor}).status_code == 404


def test_long_list_goes_on_with_the_same_search(patient: User) -> None:
    for number in range(25):
        DoctorFactory(first_name="Mona", last_name=f"Adel{number:02d}")
    browser = page_client(patient)

    first = browser.get(LIST, {"search": "mona"})
    second = browser.get(LIST + first.context["older"])

    names = [row.user.last_name for row in first.context["doctors"] + second.context["doctors"]]
    assert names == [f"Adel{number:02d}" for number in reversed(range(25))]
    assert second.context["older"] == ""


def test_list_takes_the_same_queries_however_long(
    patient: User, doctor: User, django_assert_num_queries: Any
) -> None:
    browser = page_client(patient)
    browser.get(LIST)

    # cookie, device session, entries, profiles, version, specialties of the form, unread count
    with django_assert_num_queries(8):
        browser.get(LIST)
    DoctorFactory.create_batch(4)
    browser.get(LIST)
    with django_assert_num_queries(8):
        browser.get(LIST)


def test_doctor_page_tells_the_practice(patient: User, doctor: User) -> None:
    profile = doctor.doctor_profile
    profile.bio, profile.city, profile.governorate = "I <b>listen</b>.", "Maadi", "EG-C"
    profile.languages, profile.consultation_fee = ["ar", "fr"], 350
    profile.save()

    page = shown(patient, f"{LIST}/{doctor.pk}")

    for told in ("I &lt;b&gt;listen&lt;/b&gt;.", "Maadi", "Cairo", "Arabic, French", "350"):
        assert told in page
    for private in (doctor.email, "+2010", profile.licence_number):
        assert private not in page


def test_patient_who_is_connected_comes_to_the_connection(connection: Connection) -> None:
    page = shown(connection.patient, f"{LIST}/{connection.doctor_id}")

    assert f'href="/connections/{connection.pk}"' in page


def test_somebody_elses_connection_is_not_told(connection: Connection, stranger: User) -> None:
    page = shown(stranger, f"{LIST}/{connection.doctor_id}")

    assert str(connection.pk) not in page


def test_patient_who_has_asked_is_told_to_wait(patient: User, doctor: User) -> None:
    ConnectionRequest.objects.create(patient=patient, doctor=doctor)

    page = shown(patient, f"{LIST}/{doctor.pk}")

    assert "Your request is waiting" in page
    assert f"{LIST}/{doctor.pk}/request" not in page


@pytest.mark.parametrize("who", ["other_doctor", "admin"])
def test_only_patients_are_offered_to_ask(
    who: str, doctor: User, request: pytest.FixtureRequest
) -> None:
    page = shown(request.getfixturevalue(who), f"{LIST}/{doctor.pk}")

    assert f"{LIST}/{doctor.pk}/request" not in page


def test_doctor_who_left_is_not_found(patient: User, doctor: User) -> None:
    User.objects.filter(pk=doctor.pk).update(status=Status.SUSPENDED)

    assert page_client(patient).get(f"{LIST}/{doctor.pk}").status_code == 404


def test_patient_finds_the_way_here(patient: User) -> None:
    for page in ("/", "/connections"):
        assert f'href="{LIST}"' in shown(patient, page)
