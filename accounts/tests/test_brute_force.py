"""Ten thousand guesses at a code, five hundred addresses: the code holds, its owner gets in.

What bounds the guesses stands in one service for codes of every kind, so that is where ten
thousand are made; the doors are knocked at from each of the addresses once.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Iterator

import pytest
import time_machine
from django.utils import timezone

from accounts.models import (
    CodeHolder,
    DeviceSession,
    OneTimeCode,
    PasswordReset,
    PendingSignIn,
    SignInMethod,
    Totp,
    User,
)
from accounts.services.codes import InvalidCode
from accounts.services.passwords import prepare_reset
from accounts.services.registration import verify_email
from accounts.services.second_factor import WrongCode, sign_in_by_code
from accounts.services.sessions import Device, open_session
from accounts.services.sign_in import begin
from accounts.tests.factories import PASSWORD
from accounts.tests.factors import code_of as code_of_app
from accounts.tests.factors import with_totp
from accounts.tests.factors import wrong_code as wrong_code_of_app
from accounts.tests.registering import code_of, registering
from accounts.tests.resetting import asked
from common.throttling import TooManyRequests
from medisync.tests.client import api_client

pytestmark = pytest.mark.django_db
ADDRESSES = [f"10.0.{n // 250}.{n % 250 + 1}" for n in range(500)]
GUESSES = 10_000
PATIENCE = dt.timedelta(minutes=15)
NEW = "a quite long sentence"


@pytest.fixture(autouse=True)
def _unlogged() -> Iterator[None]:
    """A line for each refusal would take as long as the refusal."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def guesses_around(code: str, number: int) -> Iterator[str]:
    """So many codes, each once, with the right one in their middle."""
    first = int(code) - number // 2
    return (f"{(first + n) % 10**6:06d}" for n in range(number))


def knock(route: str, name: str, holder: CodeHolder) -> Counter[int]:
    """A guess from each address at a door of the API, the right code among them; the statuses."""
    client = api_client()
    guesses = guesses_around(code_of(holder), len(ADDRESSES))
    return Counter(
        client.post(
            f"/api/v1/auth/{route}", {name: str(holder.pk), "otp": guess}, REMOTE_ADDR=address
        ).status_code
        for guess, address in zip(guesses, ADDRESSES, strict=True)
    )


def test_ten_thousand_guesses_open_no_registration_and_its_owner_goes_on() -> None:
    registration = registering()

    for guess in guesses_around(code_of(registration), GUESSES):
        with pytest.raises(InvalidCode):
            verify_email(registration_id=registration.pk, code=guess)

    assert OneTimeCode.objects.get().tries_left == 0
    assert not User.objects.exists()
    with time_machine.travel(timezone.now() + PATIENCE):
        assert prove_by_new_code(registration) == 200


def test_guesses_from_five_hundred_addresses_open_no_registration_at_the_door() -> None:
    registration = registering()

    seen = knock("register/verify-email", "registration_id", registration)

    assert seen == {400: 500}
    assert not User.objects.exists()
    with time_machine.travel(timezone.now() + PATIENCE):
        assert prove_by_new_code(registration) == 200


def test_guesses_from_five_hundred_addresses_open_no_reset_at_the_door(patient: User) -> None:
    reset = asked(patient)

    seen = knock("verify-reset-otp", "reset_id", reset)

    assert seen == {400: 500}
    assert not PasswordReset.objects.exclude(reset_digest=None).exists()
    with time_machine.travel(timezone.now() + PATIENCE):
        assert come_in_by_reset(patient) == 200


def test_asking_for_ever_more_codes_keeps_the_owner_out_for_fifteen_minutes_at_most(
    patient: User,
) -> None:
    """Each code asked for is worth five guesses, and asking soon has to wait as well."""
    client = api_client()
    asked_for, now = Counter[int](), timezone.now()
    for number in range(500):
        with time_machine.travel(now + dt.timedelta(seconds=number * 7)):
            answer = client.post(
                "/api/v1/auth/forgot-password",
                {"email": patient.email},
                REMOTE_ADDR=ADDRESSES[number],
            )
        asked_for[answer.status_code] += 1

    # In an hour: eight at once, then after 30 s, 1, 2, 4 and 8 min, then every 15 min.
    assert asked_for[200] <= 16
    last = now + dt.timedelta(seconds=500 * 7)
    with time_machine.travel(last + PATIENCE):
        assert come_in_by_reset(patient) == 200


def test_guessing_at_the_password_keeps_the_owner_out_for_fifteen_minutes_at_most(
    patient: User,
) -> None:
    client, now = api_client(), timezone.now()
    with time_machine.travel(now, tick=False):
        seen = Counter(
            client.post(
                "/api/v1/auth/login",
                {"email": patient.email, "password": f"guess number {n}"},
                REMOTE_ADDR=address,
            ).status_code
            for n, address in enumerate(ADDRESSES)
        )

    with time_machine.travel(now + PATIENCE):
        answer = client.post("/api/v1/auth/login", {"email": patient.email, "password": PASSWORD})

    assert seen == {401: 5, 429: 495}
    assert answer.status_code == 200
    assert DeviceSession.objects.count() == 1


# --- The second factor, by strangers who know the password -----------------------------------

OWN = Device(ip_address="2001:db8:0:7::1", key="their own device")
BORROWED = Device(ip_address="198.51.100.9", key="somebody's device")


def show(user: User, code: str, device: Device) -> DeviceSession | None:
    """The second step, after a first one that was right."""
    waiting = begin(user=user, method=SignInMethod.PASSWORD, device=device).pending
    assert isinstance(waiting, PendingSignIn)
    return sign_in_by_code(pending=waiting, code=code, device=device).session


def guess_at_the_app(user: User, totp: Totp) -> Counter[str]:
    """For an hour, a guess every twelve seconds, each from another address; what came of them."""
    seen: Counter[str] = Counter()
    began = timezone.now()
    for number, address in enumerate(ADDRESSES[:300]):
        with time_machine.travel(began + dt.timedelta(seconds=12 * number), tick=False):
            try:
                show(user, wrong_code_of_app(totp), Device(ip_address=address))
            except (WrongCode, TooManyRequests) as error:
                seen[type(error).__name__] += 1
    return seen


def test_guesses_at_the_app_never_keep_the_owner_out_on_their_own_device(patient: User) -> None:
    totp, _codes = with_totp(patient)
    open_session(user=patient, method=SignInMethod.PASSWORD, device=OWN, factor="TOTP")
    began = timezone.now()

    guess_at_the_app(patient, totp)

    for second in (0, 600, 3500):
        with time_machine.travel(began + dt.timedelta(seconds=second)):
            assert show(patient, code_of_app(totp), OWN)


def test_guesses_at_the_app_keep_the_owner_out_of_a_new_device_for_fifteen_minutes_at_most(
    patient: User,
) -> None:
    totp, _codes = with_totp(patient)
    began = timezone.now()

    seen = guess_at_the_app(patient, totp)

    # Five at once, then after 30 s, 1, 2, 4 and 8 min, then every 15 min.
    assert seen["WrongCode"] <= 13
    assert seen.total() == 300
    last = began + dt.timedelta(seconds=12 * 299)
    with time_machine.travel(last), pytest.raises(TooManyRequests):
        show(patient, code_of_app(totp), BORROWED)
    with time_machine.travel(last + PATIENCE):
        assert show(patient, code_of_app(totp), BORROWED)


def prove_by_new_code(registration: CodeHolder) -> int:
    """The owner's own way on; the status of the right code."""
    owner = api_client()
    owner.post(
        "/api/v1/auth/resend-otp", {"id": str(registration.pk), "type": "EMAIL_VERIFICATION"}
    )
    answer = owner.post(
        "/api/v1/auth/register/verify-email",
        {"registration_id": str(registration.pk), "otp": code_of(registration)},
    )
    return answer.status_code


def come_in_by_reset(user: User) -> int:
    """The owner's own way back in; the status of signing in at its end."""
    owner = api_client()
    begun = owner.post("/api/v1/auth/forgot-password", {"email": user.email}).json()
    reset = PasswordReset.objects.get(pk=begun["reset_id"])
    prepare_reset(reset_id=reset.pk)
    proven = owner.post(
        "/api/v1/auth/verify-reset-otp", {"reset_id": str(reset.pk), "otp": code_of(reset)}
    ).json()
    owner.post(
        "/api/v1/auth/reset-password",
        {"reset_token": proven["reset_token"], "new_password": NEW},
    )
    answer = owner.post("/api/v1/auth/login", {"email": user.email, "password": NEW})
    return answer.status_code
