"""What people see and change of their own account."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Role, Status, User
from accounts.services.profiles import NameIsReviewed, update_own_account
from accounts.tests.factories import DoctorFactory, UserFactory
from medisync.tests.client import api_client, page_client

pytestmark = pytest.mark.django_db
URL = "/api/v1/users/profile"


def test_everyone_sees_their_own_account(patient: User) -> None:
    assert api_client(patient).get(URL).json()["email"] == patient.email


def test_applicant_sees_their_own_account() -> None:
    doctor = DoctorFactory(status=Status.PENDING_APPROVAL)

    assert api_client(doctor).get(URL).json()["status"] == "PENDING_APPROVAL"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_name", "منى"),
        ("last_name", "O'Brien-Ünal"),
        ("phone", "+201112223334"),
        ("language", "ar"),
        ("time_zone", "Europe/Berlin"),
    ],
)
def test_changes_are_kept(patient: User, name: str, value: str) -> None:
    answer = api_client(patient).patch(URL, {name: value})

    patient.refresh_from_db()
    assert answer.status_code == 200
    assert str(getattr(patient, name)) == answer.json()[name] == value


@pytest.mark.parametrize(
    "change",
    [
        {"role": "ADMIN"},
        {"status": "ACTIVE"},
        {"email": "other@example.org"},
        {"id": "1"},
        {"password": "x"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": "localtime"},
        {"time_zone": "Factory"},
        {"time_zone": "Egypt"},
        {"language": "fr"},
        {"phone": "12"},
        {"first_name": ""},
        {"first_name": " "},
        {"first_name": "x" * 81},
    ],
    ids=str,
)
def test_nothing_else_can_be_changed(patient: User, change: dict[str, Any]) -> None:
    client = api_client(patient)
    before = User.objects.filter(pk=patient.pk).values().get()

    answer = client.patch(URL, change)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] in change
    assert User.objects.filter(pk=patient.pk).values().get() == before


def test_service_refuses_what_people_may_not_change(patient: User) -> None:
    with pytest.raises(ValueError, match="role"):
        update_own_account(actor=patient, changes={"role": Role.ADMIN})


def test_change_of_nothing_is_harmless(patient: User) -> None:
    assert api_client(patient).patch(URL, {}).status_code == 200


def test_staff_is_role_and_status_and_no_flag() -> None:
    people = {
        (role, status): UserFactory.build(role=role, status=status).is_staff
        for role in Role
        for status in Status
    }

    assert [key for key, is_staff in people.items() if is_staff] == [(Role.ADMIN, Status.ACTIVE)]


def test_doctor_cannot_take_another_name(doctor: User) -> None:
    with pytest.raises(NameIsReviewed):
        update_own_account(actor=doctor, changes={"first_name": "Magdi", "phone": doctor.phone})

    doctor.refresh_from_db()
    assert doctor.first_name == "Karim"


def test_doctor_may_send_the_name_as_it_is(doctor: User) -> None:
    update_own_account(actor=doctor, changes={"first_name": "Karim", "language": "ar"})

    doctor.refresh_from_db()
    assert doctor.language == "ar"


def test_zone_that_an_app_chose_stays_chosen_on_the_page(patient: User) -> None:
    answer = api_client(patient).patch(URL, {"time_zone": "UTC"})

    page = page_client(patient).get("/profile").content.decode()
    assert answer.status_code == 200
    assert '<option value="UTC" selected>' in page
