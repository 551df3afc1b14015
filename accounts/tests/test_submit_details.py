"""Step 2: address, password and name."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.http import Http404
from django.utils import timezone

from accounts.models import OneTimeCode, Registration, Role, User
from accounts.services.codes import InvalidCode, ResendTooSoon
from accounts.services.registration import (
    RegistrationExpired,
    WrongStep,
    start_registration,
    submit_details,
    verify_email,
)
from accounts.tests.factories import PatientFactory
from accounts.tests.registering import PASSWORD, code_of, registering, verified
from common.errors import InvalidInput
from common.ids import uuid7
from medisync.tests.client import api_client
from notifications.models import EmailDelivery

pytestmark = pytest.mark.django_db
URL = "/api/v1/auth/register/basic"


def details(registration: Registration, **changes: Any) -> dict[str, Any]:
    return {
        "registration_id": str(registration.pk),
        "email": "layla@example.org",
        "password": PASSWORD,
        "confirm_password": PASSWORD,
        "first_name": "Layla",
        "last_name": "Hassan",
    } | changes


def test_details_lead_to_waiting_for_the_code() -> None:
    begun = start_registration(role=Role.PATIENT, language="en")

    answer = api_client().post(URL, details(begun))

    assert answer.status_code == 201
    assert answer.json()["status"] == "PENDING_EMAIL_VERIFICATION"
    assert EmailDelivery.objects.get().kind == "REGISTRATION_CODE"


def test_no_user_exists_until_the_address_is_proven() -> None:
    registering()

    assert not User.objects.exists()


def test_address_is_kept_in_lower_case() -> None:
    assert registering(email="Layla@Example.ORG").email == "layla@example.org"


def test_password_is_stored_as_argon2id() -> None:
    registration = registering()

    assert registration.password.startswith("argon2$argon2id$")
    assert PASSWORD not in registration.password


@pytest.mark.parametrize(
    "password", ["too short", "1234567890123", "password123", "layla.hassan@example.org"]
)
def test_weak_password_is_refused(password: str) -> None:
    begun = start_registration(role=Role.PATIENT, language="en")

    with pytest.raises(InvalidInput) as refused:
        submit_details(
            registration_id=begun.pk,
            email="layla.hassan@example.org",
            password=password,
            first_name="Layla",
            last_name="Hassan",
        )

    assert refused.value.attr == "password"


def test_passwords_that_differ_are_refused() -> None:
    begun = start_registration(role=Role.PATIENT, language="en")

    answer = api_client().post(URL, details(begun, confirm_password=PASSWORD + "!"))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "confirm_password"


def test_spaces_around_a_password_are_part_of_it() -> None:
    begun = start_registration(role=Role.PATIENT, language="en")
    spaced = f" {PASSWORD} "

    api_client().post(URL, details(begun, password=spaced, confirm_password=spaced))
    verify_email(registration_id=begun.pk, code=code_of(begun))

    assert User.objects.get().check_password(spaced)


def test_taken_address_is_answered_in_the_same_words() -> None:
    PatientFactory(email="taken@example.org")
    first = start_registration(role=Role.PATIENT, language="en")
    second = start_registration(role=Role.PATIENT, language="en")

    free = api_client().post(URL, details(first, email="free@example.org"))
    taken = api_client().post(URL, details(second, email="taken@example.org"))

    unlike = {"registration_id", "expires_at"}
    assert taken.status_code == free.status_code
    assert {name: value for name, value in taken.json().items() if name not in unlike} == {
        name: value for name, value in free.json().items() if name not in unlike
    }


def test_owner_of_a_taken_address_is_told_and_gets_no_code() -> None:
    PatientFactory(email="taken@example.org")

    registering(email="TAKEN@example.org")

    delivery = EmailDelivery.objects.get()
    assert (delivery.to_address, delivery.kind) == ("taken@example.org", "ALREADY_REGISTERED")
    assert delivery.secret_context is None


def test_no_code_proves_a_taken_address() -> None:
    PatientFactory(email="taken@example.org")
    registration = registering(email="taken@example.org")

    for code in ("000000", "999999", ""):
        with pytest.raises(InvalidCode):
            verify_email(registration_id=registration.pk, code=code)

    assert User.objects.count() == 1


def test_address_may_be_corrected_after_a_minute() -> None:
    registration = registering(email="wrnog@example.org")
    old_code = code_of(registration)

    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER):
        submit_details(
            registration_id=registration.pk,
            email="right@example.org",
            password=PASSWORD,
            first_name="Layla",
            last_name="Hassan",
        )
        new_code = code_of(registration)
        if new_code != old_code:
            with pytest.raises(InvalidCode):
                verify_email(registration_id=registration.pk, code=old_code)
        user = verify_email(registration_id=registration.pk, code=new_code)

    assert user.email == "right@example.org"


def test_code_cannot_be_carried_over_to_another_address() -> None:
    registration = registering(email="mine@example.org")

    with pytest.raises(ResendTooSoon):
        submit_details(
            registration_id=registration.pk,
            email="yours@example.org",
            password=PASSWORD,
            first_name="Layla",
            last_name="Hassan",
        )

    registration.refresh_from_db()
    assert registration.email == "mine@example.org"


def test_details_cannot_be_changed_once_the_address_is_proven() -> None:
    user = verified()

    with pytest.raises(WrongStep):
        submit_details(
            registration_id=user.registration.pk,
            email="other@example.org",
            password=PASSWORD,
            first_name="Layla",
            last_name="Hassan",
        )


def test_expired_registration_cannot_go_on() -> None:
    begun = start_registration(role=Role.PATIENT, language="en")

    with time_machine.travel(begun.expires_at), pytest.raises(RegistrationExpired):
        submit_details(
            registration_id=begun.pk,
            email="layla@example.org",
            password=PASSWORD,
            first_name="Layla",
            last_name="Hassan",
        )


def test_unknown_registration_is_not_found() -> None:
    with pytest.raises(Http404):
        submit_details(
            registration_id=uuid7(),
            email="layla@example.org",
            password=PASSWORD,
            first_name="Layla",
            last_name="Hassan",
        )
