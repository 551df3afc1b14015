"""Confirm that it is you: within a session, before what could do harm."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import DeviceSession, User
from accounts.tests.factories import PASSWORD
from accounts.tests.factors import code_of, unconfirmed, with_passkey, with_totp, wrong_code
from medisync.tests.client import api_client, page_client

pytestmark = pytest.mark.django_db
CONFIRM = "/api/v1/auth/confirm"


def later(user: User):
    """An app whose session was begun an hour ago."""
    client = api_client(user)
    unconfirmed(DeviceSession.objects.get())
    return client


def browser_later(user: User) -> Client:
    client = page_client(user)
    unconfirmed(DeviceSession.objects.get())
    return client


def is_confirmed() -> bool:
    return DeviceSession.objects.get().is_confirmed(timezone.now())


def test_fresh_sign_in_counts_for_ten_minutes(patient: User) -> None:
    api_client(patient)
    session = DeviceSession.objects.get()

    assert session.is_confirmed(session.created_at + dt.timedelta(minutes=9))
    assert not session.is_confirmed(session.created_at + dt.timedelta(minutes=11))


def test_password_confirms(patient: User) -> None:
    answer = later(patient).post(CONFIRM, {"password": PASSWORD})

    assert answer.status_code == 204
    assert is_confirmed()


def test_wrong_password_does_not(patient: User) -> None:
    answer = later(patient).post(CONFIRM, {"password": "wrong password"})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_password")
    assert not is_confirmed()


def test_password_is_not_enough_for_whoever_has_a_second_factor(patient: User) -> None:
    with_totp(patient)

    answer = later(patient).post(CONFIRM, {"password": PASSWORD})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "second_factor_asked")
    assert not is_confirmed()


def test_code_confirms_and_is_remembered_as_shown(patient: User) -> None:
    totp, _ = with_totp(patient)

    answer = later(patient).post(CONFIRM, {"code": code_of(totp)})

    assert answer.status_code == 204
    assert is_confirmed()
    assert DeviceSession.objects.get().factor == "TOTP"


def test_recovery_code_confirms(patient: User) -> None:
    _, codes = with_totp(patient)

    assert later(patient).post(CONFIRM, {"code": codes[0]}).status_code == 204


def test_passkey_confirms(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    client = later(patient)
    asked = client.post(f"{CONFIRM}/passkey/options").json()

    answer = client.post(
        f"{CONFIRM}/passkey",
        {
            "challenge_id": asked["challenge_id"],
            "credential": authenticator.get(asked["options"]),
        },
    )

    assert answer.status_code == 204
    assert is_confirmed()


@pytest.mark.parametrize("body", [{}, {"code": "123456", "password": PASSWORD}])
def test_neither_and_both_are_refused(patient: User, body: dict[str, str]) -> None:
    assert later(patient).post(CONFIRM, body).status_code == 400


def test_guesses_are_counted_by_user_and_not_by_session(patient: User) -> None:
    totp, _ = with_totp(patient)
    for _ in range(5):
        cache.clear()
        api_client(patient).post(CONFIRM, {"code": wrong_code(totp)})
    cache.clear()

    answer = api_client(patient).post(CONFIRM, {"code": code_of(totp)})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (429, "throttled")


def test_confirmation_lapses_after_ten_minutes(patient: User) -> None:
    client = later(patient)
    client.post(CONFIRM, {"password": PASSWORD})

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=10, seconds=1)):
        assert not is_confirmed()


# --- Pages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/security/totp", "/security/passkeys"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_page_asks_first_and_comes_back(patient: User, path: str, method: str) -> None:
    client = browser_later(patient)

    asked = getattr(client, method)(path)
    confirmed = client.post(asked["Location"], {"password": PASSWORD})

    assert asked["Location"] == f"/confirm?next={path}"
    assert confirmed["Location"] == path
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/security/totp/remove", "/security/recovery-codes"])
def test_button_asks_first_and_comes_back_to_its_page(patient: User, path: str) -> None:
    with_totp(patient)

    asked = browser_later(patient).post(path)

    assert asked["Location"] == "/confirm?next=/security"
    assert patient.has_second_factor


def test_page_asks_for_the_factor_that_there_is(patient: User) -> None:
    client = browser_later(patient)
    before = client.get("/confirm").context["form"].fields
    with_totp(patient)

    after = client.get("/confirm").context["form"].fields

    assert (list(before), list(after)) == (["password"], ["code"])


def test_page_leads_to_no_other_site(patient: User) -> None:
    client = browser_later(patient)

    answer = client.post("/confirm", {"password": PASSWORD, "next": "https://elsewhere.example/"})

    assert answer["Location"] == "/security"


def test_page_says_that_the_password_is_wrong(patient: User) -> None:
    page = browser_later(patient).post("/confirm", {"password": "wrong password"})

    assert page.status_code == 400
    assert "The password is not right" in page.content.decode()


def test_whoever_has_neither_is_told_to_sign_in_again(patient: User) -> None:
    patient.set_unusable_password()
    patient.save(update_fields=["password"])

    page = browser_later(patient).get("/confirm")

    assert "Sign out and in again" in page.content.decode()
    assert 'name="password"' not in page.content.decode()


def test_page_takes_a_passkey(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    client = browser_later(patient)
    asked = client.post("/confirm/passkey/options").json()

    answer = client.post(
        "/confirm/passkey",
        {
            "challenge_id": asked["challenge_id"],
            "credential": json.dumps(authenticator.get(asked["options"])),
            "next": "/security/totp",
        },
    )

    assert answer["Location"] == "/security/totp"
    assert is_confirmed()


def test_page_says_that_a_passkey_was_not_accepted(patient: User) -> None:
    with_passkey(patient)

    page = browser_later(patient).post("/confirm/passkey", {"credential": "x"}, follow=True)

    assert "was not accepted" in page.content.decode()
    assert not is_confirmed()
