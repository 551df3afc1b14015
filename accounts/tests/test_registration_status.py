"""Registration can be resumed: its status says the step reached and the next one."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from accounts.jobs import delete_expired_registrations
from accounts.models import Registration, Role, User
from accounts.services.registration import start_registration
from accounts.tests.factories import PatientFactory
from accounts.tests.registering import complete_doctor, complete_patient, registering, verified
from accounts.tests.reviewing import approve
from common.ids import uuid7
from medisync.tests.client import api_client, sign_in

pytestmark = pytest.mark.django_db


def status_of(registration_id: object) -> dict:
    answer = api_client().get(
        f"/api/v1/users/registration-status?registration_id={registration_id}"
    )
    assert answer.status_code == 200
    return answer.json()


def test_after_step_1_details_are_next() -> None:
    begun = start_registration(role=Role.PATIENT, language="en")

    found = status_of(begun.pk)

    assert (found["status"], found["next_step"]) == ("INIT", "DETAILS")


def test_after_step_2_the_code_is_next() -> None:
    found = status_of(registering().pk)

    assert (found["status"], found["next_step"]) == (
        "PENDING_EMAIL_VERIFICATION",
        "VERIFY_EMAIL",
    )


def test_after_step_3_the_profile_is_next() -> None:
    found = status_of(verified().registration.pk)

    assert (found["status"], found["next_step"]) == ("EMAIL_VERIFIED", "PROFILE")


def test_patient_is_done_after_step_4() -> None:
    user = complete_patient(verified())

    found = status_of(user.registration.pk)

    assert (found["status"], found["next_step"]) == ("ACTIVE", "NONE")


def test_doctor_learns_since_when_they_wait() -> None:
    user = complete_doctor(verified(role=Role.DOCTOR))

    found = status_of(user.registration.pk)

    assert (found["status"], found["next_step"]) == ("PENDING_APPROVAL", "APPROVAL")
    assert found["waiting_since"].endswith("Z")


def test_approved_doctor_waits_no_more(admin: User) -> None:
    user = complete_doctor(verified(role=Role.DOCTOR))
    approve(sign_in(admin), user)

    found = status_of(user.registration.pk)

    assert (found["status"], found["waiting_since"]) == ("ACTIVE", None)


def test_status_does_not_tell_that_an_address_is_taken() -> None:
    PatientFactory(email="taken@example.org")
    taken = status_of(registering(email="taken@example.org").pk)
    free = status_of(registering(email="free@example.org").pk)

    del taken["registration_id"], free["registration_id"]
    assert taken == free


def test_unknown_registration_is_not_found() -> None:
    answer = api_client().get(f"/api/v1/users/registration-status?registration_id={uuid7()}")

    assert answer.status_code == 404


def test_expired_registration_is_not_found() -> None:
    registration = registering()

    with time_machine.travel(registration.expires_at):
        answer = api_client().get(
            f"/api/v1/users/registration-status?registration_id={registration.pk}"
        )

    assert answer.status_code == 404


def test_doctor_can_ask_for_longer_than_the_registration_lasted() -> None:
    doctor = complete_doctor(verified(role=Role.DOCTOR))

    Registration.objects.update(expires_at=timezone.now() - dt.timedelta(days=3))
    delete_expired_registrations()

    assert status_of(doctor.registration.pk)["next_step"] == "APPROVAL"
