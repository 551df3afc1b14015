"""Who guesses in vain has to wait; the owner does not, or not for long."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import time_machine
from django.utils import timezone

from accounts import jobs
from accounts.models import AttemptCount, SignInMethod, User
from accounts.services import attempts
from accounts.services.attempts import Guard
from accounts.services.sessions import Device, open_session
from accounts.services.sign_in import (
    ACCOUNT_TRIES,
    ADDRESS_TRIES,
    InvalidCredentials,
    authenticate,
    forget_failures,
)
from accounts.tests.factories import PASSWORD
from common.throttling import TooManyRequests
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, race

pytestmark = pytest.mark.django_db
LOGIN = "/api/v1/auth/login"
GUARD = Guard("test", "subject", free_tries=3)


def guess(
    email: str, *, address: str = "203.0.113.7", on: Device | None = None, password: str = "wrong"
) -> User:
    device = on or Device(ip_address=address)
    return authenticate(email=email, password=password, device=device)


def guess_in_vain(
    email: str, times: int, *, address: str = "203.0.113.7", on: Device | None = None
) -> None:
    for _ in range(times):
        with pytest.raises(InvalidCredentials):
            guess(email, address=address, on=on)


def waits(guard: Guard, times: int) -> list[int]:
    """How long one waits after each failure, in seconds, trying again as soon as one may."""
    found = []
    now = timezone.now()
    for _ in range(times):
        with time_machine.travel(now, tick=False):
            attempts.spend([guard])
        locked_until = AttemptCount.objects.get(key=guard.key).locked_until
        found.append(int((locked_until - now).total_seconds()) if locked_until else 0)
        now = max(now, locked_until or now)
    return found


def test_wait_doubles_after_the_free_tries_up_to_a_quarter_of_an_hour() -> None:
    assert waits(GUARD, 10) == [0, 0, 30, 60, 120, 240, 480, 900, 900, 900]


def test_wait_stays_at_its_longest_after_any_number_of_failures() -> None:
    attempts.spend([GUARD])
    AttemptCount.objects.update(failures=2_000_000_000)

    attempts.spend([GUARD])

    count = AttemptCount.objects.get()
    assert count.locked_until == count.last_at + AttemptCount.LONGEST_WAIT


def test_knocking_while_one_waits_adds_nothing_to_the_wait() -> None:
    waits(GUARD, 3)
    before = AttemptCount.objects.values().get()

    for _ in range(50):
        with pytest.raises(TooManyRequests):
            attempts.spend([GUARD])

    assert AttemptCount.objects.values().get() == before


def test_answer_says_how_long_to_wait() -> None:
    waits(GUARD, 3)

    with pytest.raises(TooManyRequests) as refused:
        attempts.spend([GUARD])

    assert 1 <= refused.value.retry_after <= 31


def test_failures_are_forgotten_after_a_day_without_any() -> None:
    waits(GUARD, 9)

    with time_machine.travel(timezone.now() + AttemptCount.FORGOTTEN_AFTER + dt.timedelta(hours=1)):
        attempts.spend([GUARD])

    assert AttemptCount.objects.get().failures == 1


def test_one_locked_guard_spends_nothing_at_the_others() -> None:
    other = Guard("test", "other", free_tries=3)
    waits(GUARD, 3)

    with pytest.raises(TooManyRequests):
        attempts.spend([GUARD, other])

    assert not AttemptCount.objects.filter(key=other.key, failures__gt=0).exists()


def test_right_answer_gives_back_its_own_try_only() -> None:
    waits(GUARD, 3)
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=1)):
        attempts.spend([GUARD])
        attempts.give_back(GUARD)

        assert AttemptCount.objects.get().failures == 3
        attempts.spend([GUARD])
        with pytest.raises(TooManyRequests):
            attempts.spend([GUARD])


def test_table_names_neither_account_nor_address(patient: User) -> None:
    guess_in_vain(patient.email, 1)

    rows = str(list(AttemptCount.objects.values()))
    assert patient.email not in rows
    assert "203.0.113.7" not in rows


@pytest.mark.parametrize("who", ["known", "unknown"])
def test_account_is_locked_after_five_guesses_from_anywhere(patient: User, who: str) -> None:
    email = patient.email if who == "known" else "nobody@example.org"
    last = timezone.now()
    with time_machine.travel(last, tick=False):
        for n in range(ACCOUNT_TRIES):
            guess_in_vain(email, 1, address=f"203.0.113.{n}")

    with time_machine.travel(last, tick=False), pytest.raises(TooManyRequests) as refused:
        guess(email, address="198.51.100.1", password=PASSWORD)

    assert 30 <= refused.value.retry_after <= 31


def test_known_and_unknown_addresses_are_locked_in_the_same_words(patient: User) -> None:
    answers = []
    for email in (patient.email, "nobody@example.org"):
        guess_in_vain(email, ACCOUNT_TRIES)
        with time_machine.travel(timezone.now() + dt.timedelta(seconds=1)):
            answers.append(api_client().post(LOGIN, {"email": email, "password": PASSWORD}))

    assert [answer.status_code for answer in answers] == [429, 429]
    assert answers[0].content == answers[1].content
    assert abs(int(answers[0]["Retry-After"]) - int(answers[1]["Retry-After"])) <= 1


def test_page_says_it_too(patient: User) -> None:
    guess_in_vain(patient.email, ACCOUNT_TRIES)

    answer = page_client().post("/login", {"email": patient.email, "password": PASSWORD})

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= 1


def test_place_is_locked_after_thirty_guesses_at_any_account() -> None:
    for n in range(ADDRESS_TRIES):
        guess_in_vain(f"person{n}@example.org", 1)

    with pytest.raises(TooManyRequests):
        guess("another@example.org")


def test_addresses_of_one_ipv6_network_are_one_place() -> None:
    for n in range(ADDRESS_TRIES):
        guess_in_vain(f"person{n}@example.org", 1, address=f"2001:db8::{n:x}")

    with pytest.raises(TooManyRequests):
        guess("another@example.org", address="2001:db8::ffff")


def test_owner_who_gets_in_is_forgiven_and_the_place_is_not(patient: User) -> None:
    guess_in_vain(patient.email, ACCOUNT_TRIES - 1)

    guess(patient.email, password=PASSWORD)
    guess_in_vain(patient.email, ACCOUNT_TRIES)

    place = Guard("sign_in_address", "203.0.113.7", free_tries=ADDRESS_TRIES)
    assert AttemptCount.objects.get(key=place.key).failures == 2 * ACCOUNT_TRIES - 1


OWN = Device(ip_address="192.0.2.1", key="their own device")


def opened(user: User, device: Device = OWN) -> Device:
    """A device that the account has been signed in to on."""
    open_session(user=user, method=SignInMethod.PASSWORD, device=device)
    return device


def test_strangers_do_not_lock_out_the_owner_on_their_own_device(patient: User) -> None:
    own = opened(patient)
    guess_in_vain(patient.email, ACCOUNT_TRIES, address=own.ip_address)

    with pytest.raises(TooManyRequests):
        guess(patient.email, address=own.ip_address, password=PASSWORD)

    assert guess(patient.email, on=own, password=PASSWORD) == patient


def test_own_device_is_known_wherever_it_is(patient: User) -> None:
    own = opened(patient)
    guess_in_vain(patient.email, ACCOUNT_TRIES)

    elsewhere = replace(own, ip_address="2001:db8:0:8::1")

    assert guess(patient.email, on=elsewhere, password=PASSWORD) == patient


def test_device_without_a_key_is_never_known(patient: User) -> None:
    nameless = opened(patient, Device(ip_address="192.0.2.1"))
    guess_in_vain(patient.email, ACCOUNT_TRIES)

    with pytest.raises(TooManyRequests):
        guess(patient.email, on=nameless, password=PASSWORD)


def test_new_password_unlocks_every_own_device_and_everywhere_else(patient: User) -> None:
    devices = [opened(patient, replace(OWN, key=key)) for key in ("a phone", "a laptop")]
    devices.append(Device(ip_address="203.0.113.7"))
    for device in devices:
        guess_in_vain(patient.email, ACCOUNT_TRIES, on=device)

    forget_failures(email=patient.email)

    assert {guess(patient.email, on=device, password=PASSWORD) for device in devices} == {patient}


def test_guesses_on_the_own_device_are_counted_too(patient: User) -> None:
    own = opened(patient)
    guess_in_vain(patient.email, ACCOUNT_TRIES, on=own)

    with pytest.raises(TooManyRequests):
        guess(patient.email, on=own, password=PASSWORD)


def test_owner_gets_in_within_fifteen_minutes_however_long_it_was_guessed_at(
    patient: User,
) -> None:
    now = timezone.now()
    for n in range(40):
        with time_machine.travel(now, tick=False):
            guess_in_vain(patient.email, 1, address=f"203.0.113.{n}")
        account = AttemptCount.objects.order_by("-failures").first()
        assert account is not None
        now = max(now, account.locked_until or now)

    with time_machine.travel(now, tick=False):
        assert guess(patient.email, address="198.51.100.1", password=PASSWORD) == patient
    assert account.locked_until is not None
    assert account.locked_until - account.last_at == dt.timedelta(minutes=15)


@pytest.mark.django_db(transaction=True)
def test_guesses_at_once_are_no_more_than_guesses_in_a_row(patient: User) -> None:
    guess_in_vain(patient.email, ACCOUNT_TRIES - 1)

    racers = race(*[lambda: guess(patient.email)] * 4, gate=AttemptCount)

    assert sorted(errors(racers)) == ["InvalidCredentials"] + ["TooManyRequests"] * 3


@pytest.mark.django_db(transaction=True)
def test_first_guesses_at_once_are_all_counted() -> None:
    """Nobody has a row yet, so there is none to lock."""
    racers = race(*[lambda: attempts.spend([GUARD])] * 5, gate=AttemptCount)

    assert sorted(errors(racers)) == ["", "", "", "TooManyRequests", "TooManyRequests"]
    assert AttemptCount.objects.get().failures == 3


@pytest.mark.django_db(transaction=True)
def test_counting_after_reading_would_let_everybody_in() -> None:
    """What holding the row is for."""
    waits(GUARD, 2)

    def naive_spend() -> bool:
        count = AttemptCount.objects.get(key=GUARD.key)
        is_free = count.locked_until is None or count.locked_until <= timezone.now()
        count.count(at=timezone.now(), free_tries=3)
        count.save()
        return is_free

    racers = race(naive_spend, naive_spend, naive_spend, gate=AttemptCount)

    assert [racer.value for racer in racers] == [True, True, True]


def test_old_counts_are_deleted() -> None:
    attempts.spend([GUARD])

    jobs.delete_expired_proofs()
    kept = AttemptCount.objects.count()
    with time_machine.travel(timezone.now() + 2 * AttemptCount.FORGOTTEN_AFTER):
        jobs.delete_expired_proofs()

    assert (kept, AttemptCount.objects.count()) == (1, 0)
