"""Step 3: the code makes the account."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.models import OneTimeCode, Registration, StatusChange, User
from accounts.services.codes import InvalidCode
from accounts.services.registration import (
    AlreadyRegistered,
    resend_code,
    verify_email,
)
from accounts.tests.registering import PASSWORD, code_of, registering, verified, wrong_code
from common.ids import uuid7
from medisync.tests.client import api_client
from medisync.tests.races import Racer, errors, race
from notifications import outbox
from notifications.models import EmailDelivery

pytestmark = pytest.mark.django_db
URL = "/api/v1/auth/register/verify-email"


def test_code_makes_a_user_whose_profile_is_open() -> None:
    registration = registering(language="ar")

    user = verify_email(registration_id=registration.pk, code=code_of(registration))

    assert (user.email, user.status, user.language) == (
        "layla@example.org",
        "EMAIL_VERIFIED",
        "ar",
    )
    assert user.check_password(PASSWORD)


def test_registration_forgets_the_password_once_the_user_has_it() -> None:
    user = verified()

    assert Registration.objects.get(user=user).password == ""


def test_first_status_is_recorded() -> None:
    user = verified()

    change = StatusChange.objects.get(user=user)
    assert (change.from_status, change.to_status, change.changed_by) == (
        "",
        "EMAIL_VERIFIED",
        user,
    )


def test_wrong_code_is_refused_and_spends_a_try() -> None:
    registration = registering()

    answer = api_client().post(
        URL, {"registration_id": str(registration.pk), "otp": wrong_code(registration)}
    )

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "invalid_code"
    assert answer.json()["errors"][0]["attr"] == "otp"
    assert OneTimeCode.objects.get().tries_left == OneTimeCode.TRIES - 1


def test_right_code_is_refused_after_five_wrong_ones() -> None:
    registration = registering()
    for _ in range(OneTimeCode.TRIES):
        with pytest.raises(InvalidCode):
            verify_email(registration_id=registration.pk, code=wrong_code(registration))

    with pytest.raises(InvalidCode):
        verify_email(registration_id=registration.pk, code=code_of(registration))

    assert not User.objects.exists()


def test_fifth_try_may_be_the_right_one() -> None:
    registration = registering()
    for _ in range(OneTimeCode.TRIES - 1):
        with pytest.raises(InvalidCode):
            verify_email(registration_id=registration.pk, code=wrong_code(registration))

    user = verify_email(registration_id=registration.pk, code=code_of(registration))

    assert user.pk


def test_code_works_until_ten_minutes_have_passed() -> None:
    registration = registering()
    just_before = registration.code.expires_at - OneTimeCode.LASTS / 600

    with time_machine.travel(just_before):
        user = verify_email(registration_id=registration.pk, code=code_of(registration))

    assert user.pk


def test_code_expires_after_ten_minutes() -> None:
    registration = registering()

    with time_machine.travel(registration.code.expires_at), pytest.raises(InvalidCode):
        verify_email(registration_id=registration.pk, code=code_of(registration))


def test_code_works_once() -> None:
    registration = registering()
    code = code_of(registration)
    verify_email(registration_id=registration.pk, code=code)

    with pytest.raises(InvalidCode):
        verify_email(registration_id=registration.pk, code=code)

    assert User.objects.count() == 1


def test_code_of_one_registration_does_not_prove_another() -> None:
    mine, yours = registering(email="me@example.org"), registering(email="you@example.org")
    OneTimeCode.objects.filter(registration=yours).update(
        digest=OneTimeCode.objects.get(registration=mine).digest
    )

    with pytest.raises(InvalidCode):
        verify_email(registration_id=yours.pk, code=code_of(mine))


def test_unknown_registration_is_answered_like_a_wrong_code() -> None:
    answer = api_client().post(URL, {"registration_id": str(uuid7()), "otp": "123456"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "invalid_code"


def test_second_owner_of_an_address_is_sent_to_sign_in() -> None:
    first, second = registering(), registering()
    verify_email(registration_id=first.pk, code=code_of(first))

    with pytest.raises(AlreadyRegistered):
        verify_email(registration_id=second.pk, code=code_of(second))

    assert User.objects.count() == 1


def test_only_a_keyed_digest_of_the_code_is_stored() -> None:
    registration = registering()

    row = OneTimeCode.objects.filter(registration=registration).values().get()

    assert len(row["digest"]) == 64
    assert not any(code_of(registration) == str(value) for value in row.values())


def test_code_is_nowhere_in_an_answer_or_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = api_client()
    begun = client.post("/api/v1/auth/register/init", {"role": "PATIENT"}).json()
    details = {
        "registration_id": begun["registration_id"],
        "email": "layla@example.org",
        "password": PASSWORD,
        "confirm_password": PASSWORD,
        "first_name": "Layla",
        "last_name": "Hassan",
    }

    submitted = client.post("/api/v1/auth/register/basic", details)
    registration = Registration.objects.get()
    code = code_of(registration)
    refused = client.post(
        URL, {"registration_id": str(registration.pk), "otp": wrong_code(registration)}
    )
    accepted = client.post(URL, {"registration_id": str(registration.pk), "otp": code})

    assert accepted.status_code == 200
    # Log lines carry ids and times, in which six digits may stand by chance.
    said = "".join(f" {record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert f"'{code}'" not in said
    assert f" {code} " not in said
    assert PASSWORD not in said
    for answer in (submitted, refused):
        assert f'"{code}"' not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_code_is_erased_from_the_outbox_once_it_is_sent(mailbox) -> None:
    registration = registering()
    delivery = EmailDelivery.objects.get()

    outbox.deliver(delivery.pk)

    delivery.refresh_from_db()
    assert delivery.status == "SENT"
    assert delivery.secret_context is None
    assert mailbox.newest(to=registration.email)


def test_onboarding_token_is_returned() -> None:
    registration = registering()

    answer = api_client().post(
        URL, {"registration_id": str(registration.pk), "otp": code_of(registration)}
    )

    assert answer.status_code == 200
    assert answer.json()["user_id"] == str(User.objects.get().pk)
    assert answer.json()["onboarding_token"]


@pytest.mark.django_db(transaction=True)
def test_two_wrong_tries_at_once_spend_one_last_try() -> None:
    registration = registering()
    wrong = wrong_code(registration)
    OneTimeCode.objects.update(tries_left=1)

    def attempt() -> User:
        return verify_email(registration_id=registration.pk, code=wrong)

    racers = race(attempt, attempt, gate=OneTimeCode)

    assert errors(racers) == ["InvalidCode", "InvalidCode"]
    assert OneTimeCode.objects.get().tries_left == 0


@pytest.mark.django_db(transaction=True)
def test_counting_tries_in_python_would_give_one_try_too_many() -> None:
    """What the conditional UPDATE is for."""
    registration = registering()
    OneTimeCode.objects.update(tries_left=1)

    def naive_try() -> bool:
        code = OneTimeCode.objects.get(registration=registration)
        is_granted = code.tries_left > 0
        code.tries_left -= 1
        code.save()
        return is_granted

    racers = race(naive_try, naive_try, gate=OneTimeCode)

    assert [racer.value for racer in racers] == [True, True]


@pytest.mark.django_db(transaction=True)
def test_one_code_used_twice_at_once_makes_one_user() -> None:
    registration = registering()
    code = code_of(registration)

    def attempt() -> User:
        return verify_email(registration_id=registration.pk, code=code)

    racers = race(attempt, attempt, gate=User)

    assert sorted(errors(racers)) == ["", "InvalidCode"]
    assert User.objects.count() == 1


def race_for_one_address() -> list[Racer]:
    first, second = registering(), registering()
    codes = {registration.pk: code_of(registration) for registration in (first, second)}
    return race(
        lambda: verify_email(registration_id=first.pk, code=codes[first.pk]),
        lambda: verify_email(registration_id=second.pk, code=codes[second.pk]),
        gate=User,
    )


@pytest.mark.django_db(transaction=True)
def test_two_registrations_of_one_address_at_once_make_one_user() -> None:
    racers = race_for_one_address()

    assert sorted(errors(racers)) == ["", "AlreadyRegistered"]
    assert User.objects.count() == 1


@pytest.fixture
def no_address_constraint(transactional_db: None) -> Iterator[None]:
    constraint = next(one for one in User._meta.constraints if one.name == "user_email_unique")
    with connection.schema_editor() as editor:
        editor.remove_constraint(User, constraint)
    yield
    for user in User.objects.all():
        User.objects.filter(pk=user.pk).update(email=f"{user.pk}@example.org")
    with connection.schema_editor() as editor:
        editor.add_constraint(User, constraint)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_address_constraint")
def test_without_the_constraint_they_would_make_two() -> None:
    racers = race_for_one_address()

    assert errors(racers) == ["", ""]
    assert User.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_verification_overtaken_by_a_new_code_is_refused() -> None:
    registration = registering()
    code = code_of(registration)
    OneTimeCode.objects.update(sent_at=timezone.now() - OneTimeCode.RESEND_AFTER)

    racers = race(
        lambda: resend_code(registration_id=registration.pk),
        lambda: verify_email(registration_id=registration.pk, code=code),
        gate=OneTimeCode,
    )

    replaced = code_of(registration)
    assert racers[0].error is None
    assert code == replaced or errors(racers)[1] == "InvalidCode"
