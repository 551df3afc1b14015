"""Step 4 for patients."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import PatientProfile, Role, StatusChange, User
from accounts.policies import ProfileAlreadyComplete
from accounts.services.registration import NationalIdTaken
from accounts.tests.factories import PatientFactory
from accounts.tests.registering import NATIONAL_ID, complete_patient, verified
from accounts.tokens import onboarding_token
from common.errors import InvalidInput, NotAllowed
from medisync.tests.client import api_client
from medisync.tests.races import errors, race

pytestmark = pytest.mark.django_db


def test_patient_is_active_at_once() -> None:
    user = complete_patient(verified())

    assert user.status == "ACTIVE"
    assert StatusChange.objects.filter(user=user).count() == 2


def test_national_id_fills_in_birth_date_and_sex() -> None:
    user = complete_patient(verified())

    profile = PatientProfile.objects.get(user=user)
    assert (profile.birth_date, profile.sex) == (dt.date(1990, 5, 17), "FEMALE")


def test_national_id_is_optional() -> None:
    user = complete_patient(verified(), national_id="", birth_date=dt.date(1980, 1, 2), sex="MALE")

    profile = PatientProfile.objects.get(user=user)
    assert (profile.national_id, profile.national_id_index) == (None, None)


@pytest.mark.parametrize(
    ("details", "attr"),
    [
        ({"national_id": ""}, "birth_date"),
        ({"national_id": "", "birth_date": dt.date(1980, 1, 2)}, "sex"),
        ({"national_id": "12345678901234"}, "national_id"),
        ({"birth_date": dt.date(1990, 5, 18)}, "national_id"),
        ({"sex": "MALE"}, "national_id"),
        ({"national_id": "", "sex": "MALE", "birth_date": dt.date(1899, 12, 31)}, "birth_date"),
        ({"national_id": "", "sex": "MALE", "birth_date": dt.date(2999, 1, 1)}, "birth_date"),
    ],
)
def test_details_that_cannot_be_right_are_refused(details: dict, attr: str) -> None:
    user = verified()

    with pytest.raises(InvalidInput) as refused:
        complete_patient(user, **details)

    assert refused.value.attr == attr
    assert not PatientProfile.objects.exists()


def test_national_id_is_encrypted_in_its_column() -> None:
    complete_patient(verified())

    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_patientprofile::text FROM accounts_patientprofile")
        stored = cursor.fetchone()[0]

    assert NATIONAL_ID not in stored
    assert "v1." in stored
    assert PatientProfile.objects.get().national_id == NATIONAL_ID


def test_one_national_id_is_sealed_differently_each_time() -> None:
    complete_patient(verified())
    profile = PatientProfile.objects.get()
    sealed = "SELECT national_id FROM accounts_patientprofile"

    with connection.cursor() as cursor:
        cursor.execute(sealed)
        before = cursor.fetchone()
        profile.save()
        cursor.execute(sealed)
        after = cursor.fetchone()

    assert before != after


def test_national_id_belongs_to_one_account() -> None:
    complete_patient(verified())
    second = verified(email="second@example.org")

    with pytest.raises(NationalIdTaken):
        complete_patient(second)

    second.refresh_from_db()
    assert second.status == "EMAIL_VERIFIED"


def test_database_keeps_national_ids_apart() -> None:
    complete_patient(verified())
    index = PatientProfile.objects.get().national_id_index
    other = PatientFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        PatientProfile.objects.filter(user=other).update(
            national_id=NATIONAL_ID, national_id_index=index
        )


def test_database_refuses_a_national_id_without_its_index() -> None:
    patient = PatientFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        PatientProfile.objects.filter(user=patient).update(national_id=NATIONAL_ID)


def test_profile_is_completed_once() -> None:
    user = complete_patient(verified())

    with pytest.raises(ProfileAlreadyComplete):
        complete_patient(user)


def test_doctor_cannot_complete_a_patient_profile() -> None:
    doctor = verified(role=Role.DOCTOR)

    with pytest.raises(NotAllowed):
        complete_patient(doctor)


def test_answer_does_not_repeat_the_national_id() -> None:
    user = verified()
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {onboarding_token(user)}")

    answer = client.patch(
        f"/api/v1/users/{user.pk}/profile",
        {"phone": "+201001234567", "national_id": NATIONAL_ID},
    )

    assert answer.json() == {"user_id": str(user.pk), "status": "ACTIVE"}


@pytest.mark.django_db(transaction=True)
def test_one_national_id_claimed_twice_at_once_belongs_to_one() -> None:
    first, second = verified(), verified(email="second@example.org")

    racers = race(
        lambda: complete_patient(first),
        lambda: complete_patient(second),
        gate=PatientProfile,
    )

    assert sorted(errors(racers)) == ["", "NationalIdTaken"]
    assert PatientProfile.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_profile_sent_twice_at_once_is_completed_once() -> None:
    user = verified()

    racers = race(
        lambda: complete_patient(user), lambda: complete_patient(user), gate=PatientProfile
    )

    assert sorted(errors(racers)) == ["", "ProfileAlreadyComplete"]
    assert User.objects.get().status_changes.count() == 2


def test_today_is_a_possible_birth_date() -> None:
    user = complete_patient(
        verified(), national_id="", birth_date=timezone.localdate(), sex="FEMALE"
    )

    assert user.status == "ACTIVE"
