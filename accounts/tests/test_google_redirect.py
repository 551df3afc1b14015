"""Out to Google and back: what a browser leaves with has to be what it comes back with."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import logging
import time

import pytest
import requests
import structlog
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import oidc
from accounts.models import DeviceSession, ExternalIdentity, SignInMethod, User
from accounts.tests.factories import PatientFactory
from accounts.tests.provider import (
    CLIENT_ID,
    LAYLA,
    LyingProvider,
    come_back,
    leave,
    query_of,
    say_no,
    say_yes,
)

pytestmark = pytest.mark.django_db


def linked(user: User, issuer: str, subject: str = "layla") -> User:
    ExternalIdentity.objects.create(user=user, issuer=issuer, subject=subject)
    return user


def test_browser_leaves_with_state_nonce_and_challenge(google: str) -> None:
    asked = query_of(leave(Client()))

    assert asked["client_id"] == CLIENT_ID
    assert asked["response_type"] == "code"
    assert asked["redirect_uri"] == "http://testserver/login/google/callback"
    assert set(asked["scope"].split()) == {"openid", "email", "profile"}
    assert asked["code_challenge_method"] == "S256"
    assert all(len(asked[name]) >= 43 for name in ("state", "nonce", "code_challenge"))


def test_every_departure_has_its_own_secrets(google: str) -> None:
    browser = Client()

    first, second = query_of(leave(browser)), query_of(leave(browser))

    assert all(first[name] != second[name] for name in ("state", "nonce", "code_challenge"))


def test_linked_person_comes_in(google: str) -> None:
    user = linked(PatientFactory(), google)
    browser = Client()

    answer = come_back(browser)

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert DeviceSession.objects.get(user=user).method == SignInMethod.GOOGLE
    assert browser.get("/profile").status_code == 200


def test_person_arrives_where_they_wanted_to_go(google: str) -> None:
    linked(PatientFactory(), google)

    answer = come_back(Client(), start="/login/google?next=/sessions")

    assert answer["Location"] == "/sessions"


def test_next_never_leads_off_the_site(google: str) -> None:
    linked(PatientFactory(), google)

    answer = come_back(Client(), start="/login/google?next=https://evil.example/")

    assert answer["Location"] == "/"


def test_answer_to_another_browser_is_refused(google: str) -> None:
    linked(PatientFactory(), google)
    answer_to_mine = say_yes(leave(Client()))
    other = Client()
    leave(other)

    assert other.get(answer_to_mine).status_code == 400
    assert Client().get(answer_to_mine).status_code == 400
    assert not DeviceSession.objects.exists()


def test_answer_is_taken_once(google: str) -> None:
    linked(PatientFactory(), google)
    browser = Client()
    answer = say_yes(leave(browser))
    assert browser.get(answer).status_code == 302
    browser.post("/logout")

    again = browser.get(answer)

    assert again.status_code == 400
    assert DeviceSession.objects.count() == 1


def test_refused_answer_spends_what_the_browser_left_with(google: str) -> None:
    linked(PatientFactory(), google)
    browser = Client()
    right = say_yes(leave(browser))

    wrong = browser.get("/login/google/callback?code=x&state=x")

    assert (wrong.status_code, browser.get(right).status_code) == (400, 400)


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=x", "?code=&state=", "?code=%00&state=%ff"]
)
def test_answer_that_is_none_is_refused(google: str, query: str) -> None:
    browser = Client()
    leave(browser)

    assert browser.get(f"/login/google/callback{query}").status_code == 400


def test_answer_that_comes_too_late_is_refused(google: str) -> None:
    browser = Client()
    answer = say_yes(leave(browser))

    with time_machine.travel(timezone.now() + dt.timedelta(seconds=601)):
        late = browser.get(answer)

    assert late.status_code == 400


def test_made_up_code_is_refused(google: str) -> None:
    browser = Client()
    state = query_of(leave(browser))["state"]

    answer = browser.get(f"/login/google/callback?code=made-up&state={state}")

    assert answer.status_code == 400


def test_whoever_says_no_at_google_is_back_at_the_door(google: str) -> None:
    browser = Client()

    answer = browser.get(say_no(leave(browser)), follow=True)

    assert answer.redirect_chain == [("/login", 302)]
    assert "You did not go on with Google." in answer.content.decode()


def test_secret_behind_the_challenge_goes_to_the_provider(liar: LyingProvider) -> None:
    browser = Client()
    asked = query_of(leave(browser))
    liar.answer = {
        "access_token": "x",
        "token_type": "Bearer",
        "id_token": liar.token(nonce=asked["nonce"]),
    }

    answer = browser.get(f"/login/google/callback?code=abc&state={asked['state']}")

    assert answer["Location"] == "/login/google/role"
    digest = hashlib.sha256(liar.traded["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
    assert liar.traded["code"] == "abc"
    assert liar.traded["redirect_uri"] == asked["redirect_uri"]


@pytest.mark.parametrize("nonce", ["another", None, ""])
def test_token_with_another_nonce_is_refused(liar: LyingProvider, nonce: str | None) -> None:
    browser = Client()
    asked = query_of(leave(browser))
    liar.answer = {"access_token": "x", "token_type": "Bearer", "id_token": liar.token(nonce=nonce)}

    answer = browser.get(f"/login/google/callback?code=abc&state={asked['state']}")

    assert answer.status_code == 401
    assert not User.objects.exists()


def test_token_for_an_app_is_refused_in_a_browser(liar: LyingProvider) -> None:
    browser = Client()
    asked = query_of(leave(browser))
    token = liar.token(nonce=asked["nonce"], aud="app.apps.example")
    liar.answer = {"access_token": "x", "token_type": "Bearer", "id_token": token}

    answer = browser.get(f"/login/google/callback?code=abc&state={asked['state']}")

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (500, {}, 503),
        (200, b"<html>", 503),
        (200, b"[" * 100_000, 503),
        (200, [], 503),
        (302, b"", 503),
        (200, {"access_token": "x", "expires_in": "soon"}, 503),
        (400, {"error": "invalid_grant"}, 400),
        (200, {"access_token": "x", "token_type": "Bearer"}, 401),
        (200, {"access_token": "x", "token_type": "Bearer", "id_token": 7}, 401),
        (200, {"access_token": "x", "token_type": "Bearer", "id_token": "x.y.z"}, 401),
    ],
)
def test_nonsense_for_a_code_is_a_refusal_and_no_crash(
    liar: LyingProvider, status: int, content: object, expected: int
) -> None:
    browser = Client()
    asked = query_of(leave(browser))
    liar.status, liar.answer = status, content

    answer = browser.get(f"/login/google/callback?code=abc&state={asked['state']}")

    assert answer.status_code == expected
    assert "/elsewhere" not in liar.asked


@pytest.mark.parametrize(
    "description",
    [
        b"<html>",
        b"[" * 100_000,
        [],
        {},
        {"issuer": "https://another.example"},
        {"jwks_uri": "file:///etc/passwd"},
        {"token_endpoint": "ftp://x"},
        {"authorization_endpoint": None},
    ],
)
def test_provider_that_says_nonsense_of_itself_is_a_clear_page(
    liar: LyingProvider, description: object
) -> None:
    if isinstance(description, dict):
        description = liar.description | description if description else {}
    liar.description = description

    answer = Client().get("/login/google")

    assert answer.status_code == 503
    assert "Google cannot be reached" in answer.content.decode()


def test_provider_that_is_down_is_a_clear_page(liar: LyingProvider, settings) -> None:
    settings.GOOGLE_ISSUER = "http://127.0.0.1:9"

    answer = Client().get("/login/google")

    assert answer.status_code == 503
    assert "Google cannot be reached" in answer.content.decode()


def test_provider_that_hangs_is_given_up(liar: LyingProvider, monkeypatch) -> None:
    monkeypatch.setattr(oidc, "PATIENCE_SECONDS", 0.2)
    liar.delay = 1.0

    answer = Client().get("/login/google")

    assert answer.status_code == 503
    deadline = time.monotonic() + 10  # It might be asked as late as in the next test.
    while not liar.asked and time.monotonic() < deadline:
        time.sleep(0.01)


def test_what_the_provider_says_of_itself_is_asked_once_an_hour(liar: LyingProvider) -> None:
    now = timezone.now()
    for minutes in (0, 1, 59, 61):
        with time_machine.travel(now + dt.timedelta(minutes=minutes)):
            assert Client().get("/login/google").status_code == 302

    assert liar.asked == ["/.well-known/openid-configuration"] * 2


@pytest.mark.parametrize("kept", ["what the browser left with", ""])
def test_no_code_token_or_address_is_logged(
    google: str, caplog: pytest.LogCaptureFixture, kept: str
) -> None:
    written = next(
        handler.formatter
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    )
    linked(PatientFactory(), google)
    browser = Client()
    address = leave(browser)
    answer = say_yes(address)
    caplog.set_level(logging.DEBUG)

    arrived = (browser if kept else Client()).get(answer)

    assert arrived.status_code == (302 if kept else 400)
    said = "".join(written.format(record) for record in caplog.records)
    assert "/login/google/callback" in said
    for secret in (query_of(answer)["code"], query_of(address)["state"], LAYLA["email"], "eyJ"):
        assert secret not in said


def test_closed_account_is_refused_as_at_login(google: str) -> None:
    linked(PatientFactory(status="SUSPENDED"), google)

    answer = come_back(Client())

    assert answer.status_code == 403
    assert not DeviceSession.objects.exists()


def test_address_that_google_has_not_verified_is_refused(google: str) -> None:
    claims = {"email": "omar@example.org", "email_verified": False}
    requests.put(f"{google}/users/omar", json=claims, timeout=5).raise_for_status()

    answer = come_back(Client(), sub="omar")

    assert answer.status_code == 403
    assert "has not verified" in answer.content.decode()


def test_without_configuration_there_is_no_button_and_no_page() -> None:
    paths = ("login/google", "login/google/callback", "login/google/link", "login/google/role")
    assert {path: Client().get(f"/{path}").status_code for path in paths} == dict.fromkeys(
        paths, 404
    )
    assert "Google" not in Client().get("/login").content.decode()
    assert "Google" not in Client().get("/register").content.decode()


def test_button_keeps_where_to_go(google: str) -> None:
    page = Client().get("/login?next=/sessions%3Fa%3D1").content.decode()

    assert 'href="/login/google?next=/sessions%3Fa%3D1"' in page
    assert "Continue with Google" in page
    assert 'href="/login/google?next="' in Client().get("/register").content.decode()


def test_api_addresses_lead_to_the_pages(google: str) -> None:
    start = Client().get("/api/v1/auth/google?next=/sessions")
    back = Client().get("/api/v1/auth/google/callback?code=a&state=b")

    assert (start.status_code, start["Location"]) == (302, "/login/google?next=/sessions")
    assert (back.status_code, back["Location"]) == (302, "/login/google/callback?code=a&state=b")


def test_second_factor_is_asked_after_google(google: str, totp_user) -> None:
    linked(totp_user, google)

    browser = Client()
    answer = come_back(browser)

    assert answer["Location"] == "/login/second-factor"
    assert not DeviceSession.objects.exists()
    # Nobody has typed one.
    assert "Your password" not in browser.get("/login/second-factor").content.decode()


@pytest.fixture
def totp_user() -> User:
    from accounts.models import Totp

    user = PatientFactory()
    Totp.objects.create(user=user, seed="JBSWY3DPEHPK3PXP", confirmed_at=timezone.now())
    return user
