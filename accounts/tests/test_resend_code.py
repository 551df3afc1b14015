"""A second code, for whom the first did not reach."""

from __future__ import annotations

import pytest
import time_machine
from django.utils import timezone

from accounts.models import OneTimeCode, Role
from accounts.services.codes import InvalidCode, ResendTooSoon
from accounts.services.registration import (
    RegistrationExpired,
    WrongStep,
    resend_code,
    start_registration,
    verify_email,
)
from accounts.tests.factories import PatientFactory
from accounts.tests.registering import code_of, registering, verified, wrong_code
from medisync.tests.client import api_client
from notifications.models import EmailDelivery

pytestmark = pytest.mark.django_db


def test_second_code_waits_for_a_minute() -> None:
    registration = registering()

    with pytest.raises(ResendTooSoon) as refused:
        resend_code(registration_id=registration.pk)

    assert 1 <= refused.value.retry_after <= 60
    assert EmailDelivery.objects.count() == 1


def test_too_early_a_request_learns_how_long_to_wait() -> None:
    registration = registering()

    answer = api_client().post(
        "/api/v1/auth/resend-otp", {"id": str(registration.pk), "type": "EMAIL_VERIFICATION"}
    )

    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60


def test_second_code_replaces_the_first() -> None:
    registration = registering()
    first = code_of(registration)

    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER):
        resend_code(registration_id=registration.pk)
        second = code_of(registration)
        if first != second:
            with pytest.raises(InvalidCode):
                verify_email(registration_id=registration.pk, code=first)
        user = verify_email(registration_id=registration.pk, code=second)

    assert user.email == registration.email


def test_second_code_comes_with_five_tries_and_ten_minutes() -> None:
    registration = registering()
    for _ in range(OneTimeCode.TRIES):
        with pytest.raises(InvalidCode):
            verify_email(registration_id=registration.pk, code=wrong_code(registration))

    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER, tick=False):
        resend_code(registration_id=registration.pk)

        code = OneTimeCode.objects.get(registration=registration)
        assert code.tries_left == OneTimeCode.TRIES
        assert code.expires_at == timezone.now() + OneTimeCode.LASTS


def test_address_taken_meanwhile_gets_no_second_code() -> None:
    registration = registering(email="slow@example.org")
    PatientFactory(email="slow@example.org")

    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER):
        resend_code(registration_id=registration.pk)

    assert EmailDelivery.objects.latest("created_at").kind == "ALREADY_REGISTERED"


def test_there_is_nothing_to_send_before_an_address_is_given() -> None:
    begun = start_registration(role=Role.PATIENT, language="en")

    with pytest.raises(WrongStep):
        resend_code(registration_id=begun.pk)


def test_there_is_nothing_to_send_once_the_address_is_proven() -> None:
    user = verified()

    with pytest.raises(WrongStep):
        resend_code(registration_id=user.registration.pk)


def test_expired_registration_gets_no_code() -> None:
    registration = registering()

    with time_machine.travel(registration.expires_at), pytest.raises(RegistrationExpired):
        resend_code(registration_id=registration.pk)
