"""The second step of signing in, by both doors."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import DeviceSession, Factor, PendingSignIn, SignInMethod, Status, User
from accounts.services.second_factor import (
    delete_factors,
    find_pending,
    go_on,
    prove,
    sign_in_by_code,
)
from accounts.services.sessions import Device, open_session
from accounts.services.sign_in import InvalidCredentials, begin
from accounts.tests.factories import PASSWORD
from accounts.tests.factors import code_of, with_passkey, with_totp, wrong_code
from accounts.tokens import onboarding_token, second_factor_token, token_pair
from medisync.tests.client import api_client, sign_in
from medisync.tests.races import errors, race

pytestmark = pytest.mark.django_db
LOGIN = "/api/v1/auth/login"
VERIFY = "/api/v1/auth/mfa/verify"
PAGE = "/login/second-factor"
DEVICE = Device(ip_address="127.0.0.1")


def first_step(user: User) -> str:
    answer = api_client().post(LOGIN, {"email": user.email, "password": PASSWORD})
    return answer.json()["mfa_token"]


def show(token: str, code: str, **more: Any):
    cache.clear()
    return api_client().post(VERIFY, {"mfa_token": token, "code": code, **more})


def waiting(user: User) -> PendingSignIn:
    pending = begin(user=user, method=SignInMethod.PASSWORD, device=DEVICE).pending
    assert pending is not None
    return pending


def test_password_alone_gives_no_session(patient: User) -> None:
    with_totp(patient)

    answer = api_client().post(LOGIN, {"email": patient.email, "password": PASSWORD})

    assert answer.json() == {"mfa_required": True, "mfa_token": answer.json()["mfa_token"]}
    assert not DeviceSession.objects.exists()


def test_code_of_the_app_gives_the_tokens(patient: User) -> None:
    totp, _ = with_totp(patient)

    answer = show(first_step(patient), code_of(totp), device_name="Mona's phone")

    session = DeviceSession.objects.get()
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == str(patient.pk)
    assert (session.method, session.factor, session.device_name) == (
        "PASSWORD", "TOTP", "Mona's phone",
    )  # fmt: skip


def test_recovery_code_gives_the_tokens(patient: User) -> None:
    _, codes = with_totp(patient)

    answer = show(first_step(patient), codes[0])

    assert answer.status_code == 200
    assert DeviceSession.objects.get().factor == "RECOVERY_CODE"


def test_wrong_code_gives_nothing(patient: User) -> None:
    totp, _ = with_totp(patient)

    answer = show(first_step(patient), wrong_code(totp))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "wrong_code")
    assert not DeviceSession.objects.exists()


def test_token_is_good_once(patient: User) -> None:
    totp, codes = with_totp(patient)
    token = first_step(patient)
    show(token, code_of(totp))

    answer = show(token, codes[0])

    assert answer.status_code == 401
    assert DeviceSession.objects.count() == 1


def test_token_is_good_for_ten_minutes(patient: User) -> None:
    _, codes = with_totp(patient)
    token = first_step(patient)

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=10, seconds=1)):
        answer = show(token, codes[0])

    assert answer.status_code == 401


def test_account_closed_meanwhile_stays_shut(patient: User) -> None:
    totp, _ = with_totp(patient)
    token = first_step(patient)
    User.objects.update(status=Status.SUSPENDED)

    assert show(token, code_of(totp)).status_code == 401


def test_other_tokens_do_not_open_the_second_step(patient: User) -> None:
    totp, _ = with_totp(patient)
    pair = token_pair(sign_in(patient), now=timezone.now())
    tokens = [pair["access_token"], pair["refresh_token"], onboarding_token(patient), "x", "a.b.c"]

    answers = [show(token, code_of(totp)).status_code for token in tokens]

    assert answers == [401] * len(tokens)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/v1/users/profile"),
        ("get", "/api/v1/auth/sessions"),
        ("get", "/api/v1/auth/mfa"),
        ("post", "/api/v1/auth/mfa/totp"),
        ("post", "/api/v1/auth/mfa/recovery-codes"),
        ("post", "/api/v1/auth/passkeys/options"),
        ("post", "/api/v1/auth/confirm"),
        ("post", "/api/v1/auth/logout"),
        ("get", "/api/v1/prescriptions/my-prescriptions"),
    ],
)
def test_token_of_the_second_step_opens_nothing_else(patient: User, method: str, path: str) -> None:
    with_totp(patient)
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {first_step(patient)}")

    assert getattr(client, method)(path).status_code == 401


def test_token_of_the_second_step_is_no_refresh_token(patient: User) -> None:
    with_totp(patient)

    answer = api_client().post("/api/v1/auth/refresh", {"refresh_token": first_step(patient)})

    assert answer.status_code == 401


def test_sixth_guess_waits_even_if_it_is_right(patient: User) -> None:
    totp, _ = with_totp(patient)
    token = first_step(patient)
    wrong = [show(token, wrong_code(totp)).status_code for _ in range(5)]

    answer = show(token, code_of(totp))

    assert wrong == [400] * 5
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (429, "throttled")
    assert 0 < int(answer["Retry-After"]) <= 31


def test_guesses_count_for_the_account_and_not_for_the_token(patient: User) -> None:
    totp, _ = with_totp(patient)
    for _ in range(5):
        show(second_factor_token(waiting(patient)), wrong_code(totp))

    answer = show(second_factor_token(waiting(patient)), code_of(totp))

    assert answer.status_code == 429


def test_strangers_guessing_do_not_keep_the_owner_out_on_their_own_device(patient: User) -> None:
    totp, _ = with_totp(patient)
    own = Device(ip_address="2001:db8:0:7::1", key="their own")
    open_session(user=patient, method=SignInMethod.PASSWORD, device=own, factor="TOTP")
    elsewhere = Device(ip_address="2001:db8:0:8::1", key="another")
    for _ in range(6):
        with pytest.raises(Exception, match=r"not right|Too many"):
            sign_in_by_code(pending=waiting(patient), code=wrong_code(totp), device=elsewhere)

    # The same device in another place.
    own = replace(own, ip_address="198.51.100.9")
    came_in = sign_in_by_code(pending=waiting(patient), code=code_of(totp), device=own)

    assert came_in.session is not None


def test_right_code_forgives_the_wrong_ones(patient: User) -> None:
    totp, codes = with_totp(patient)
    token = first_step(patient)
    for _ in range(4):
        show(token, wrong_code(totp))
    show(token, codes[0])

    answer = show(second_factor_token(waiting(patient)), wrong_code(totp))

    assert answer.status_code == 400


@pytest.mark.django_db(transaction=True)
def test_one_pending_sign_in_used_twice_at_once_makes_one_session(patient: User) -> None:
    totp, codes = with_totp(patient)
    pending = waiting(patient)
    code = code_of(totp)

    racers = race(
        lambda: sign_in_by_code(pending=pending, code=code, device=DEVICE),
        lambda: sign_in_by_code(pending=pending, code=codes[0], device=DEVICE),
        gate=PendingSignIn,
    )

    assert sorted(errors(racers)) == ["", "SignInLapsed"]
    assert DeviceSession.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_looking_first_and_marking_later_would_make_two(patient: User) -> None:
    """What the conditional UPDATE is for."""
    with_totp(patient)
    pending = waiting(patient)

    def naive_use() -> bool:
        found = find_pending(pending.pk)
        is_unused = found.used_at is None
        found.used_at = timezone.now()
        found.save()
        return is_unused

    racers = race(naive_use, naive_use, gate=PendingSignIn)

    assert [racer.value for racer in racers] == [True, True]


# --- Pages -----------------------------------------------------------------------------------


def at_second_step(user: User, target: str = "") -> Client:
    client = Client()
    form = {"email": user.email, "password": PASSWORD, "next": target}
    assert client.post("/login", form)["Location"] == PAGE
    cache.clear()
    return client


def test_page_asks_for_the_second_factor_and_lets_in(patient: User) -> None:
    totp, _ = with_totp(patient)
    client = at_second_step(patient)
    asked = client.get(PAGE)

    answer = client.post(PAGE, {"code": code_of(totp)})

    assert asked.status_code == 200
    assert answer["Location"] == "/"
    assert client.get("/profile").status_code == 200


def test_page_goes_on_to_where_the_way_led(patient: User) -> None:
    totp, _ = with_totp(patient)
    client = at_second_step(patient, "/sessions")

    assert client.post(PAGE, {"code": code_of(totp)})["Location"] == "/sessions"


def test_page_leads_to_no_other_site(patient: User) -> None:
    totp, _ = with_totp(patient)
    client = at_second_step(patient, "https://elsewhere.example/")

    assert client.post(PAGE, {"code": code_of(totp)})["Location"] == "/"


def test_password_alone_opens_no_page(patient: User) -> None:
    with_totp(patient)
    client = at_second_step(patient)

    assert client.get("/profile")["Location"].startswith("/login")


def test_page_says_that_a_code_is_wrong(patient: User) -> None:
    totp, _ = with_totp(patient)
    client = at_second_step(patient)

    page = client.post(PAGE, {"code": wrong_code(totp)})

    assert page.status_code == 400
    assert "not right" in page.content.decode()


def test_page_locks_guessers_out(patient: User) -> None:
    totp, _ = with_totp(patient)
    client = at_second_step(patient)
    for _ in range(5):
        client.post(PAGE, {"code": wrong_code(totp)})

    page = client.post(PAGE, {"code": code_of(totp)})

    assert page.status_code == 429
    assert int(page["Retry-After"]) > 0


def test_page_without_a_first_step_leads_to_it(patient: User) -> None:
    assert Client().get(PAGE)["Location"] == "/login"


def test_page_after_ten_minutes_leads_back_to_the_first_step(patient: User) -> None:
    with_totp(patient)
    client = at_second_step(patient)
    PendingSignIn.objects.update(expires_at=timezone.now())

    page = client.get(PAGE, follow=True)

    assert "Please sign in again" in page.content.decode()


def test_few_codes_left_are_pointed_out_on_coming_in(patient: User) -> None:
    _, codes = with_totp(patient)
    for code in codes[:6]:
        sign_in_by_code(pending=waiting(patient), code=code, device=DEVICE)
    client = at_second_step(patient)

    page = client.post(PAGE, {"code": codes[6]}, follow=True)

    assert "few recovery codes left" in page.content.decode()


def test_page_offers_a_passkey_to_whoever_has_one(patient: User) -> None:
    with_passkey(patient)

    page = at_second_step(patient).get(PAGE)

    assert "data-passkey" in page.content.decode()


@pytest.mark.parametrize("factor", ["TOTP", "PASSKEY"])
def test_factor_taken_off_while_it_was_shown_lets_nobody_in(patient: User, factor: str) -> None:
    """An administrator resets it because the phone is in other hands, which are at it just now."""
    totp, _codes = with_totp(patient)
    pending = waiting(patient)
    prove(patient, code_of(totp))
    delete_factors(patient)

    with pytest.raises(InvalidCredentials):
        if factor == "TOTP":
            go_on(pending=pending, factor=Factor.TOTP, device=DEVICE)
        else:
            begin(user=patient, method=SignInMethod.PASSKEY, device=DEVICE, factor=factor)

    assert not DeviceSession.objects.exists()
