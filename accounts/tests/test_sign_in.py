"""Signing in over the API, and what an access token is worth."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any
from unittest.mock import ANY

import jwt
import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils import timezone

from accounts.models import DeviceSession, Status, User
from accounts.tests.factories import PASSWORD, DoctorFactory, PatientFactory
from accounts.tokens import token_pair
from medisync.tests.client import api_client, page_client, sign_in

pytestmark = pytest.mark.django_db
LOGIN = "/api/v1/auth/login"
PROFILE = "/api/v1/users/profile"
NOBODY = "01933c5e-0000-7000-8000-000000000000"


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def with_token(token: str):
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client.get(PROFILE)


def access_token(user: User) -> str:
    return token_pair(sign_in(user), now=timezone.now())["access_token"]


def test_right_password_gives_a_pair_and_the_user(patient: User) -> None:
    answer = api_client().post(LOGIN, {"email": patient.email, "password": PASSWORD})

    assert answer.status_code == 200
    assert answer.json() == {
        "access_token": ANY,
        "refresh_token": ANY,
        "expires_in": 900,
        "user": {
            "id": str(patient.pk),
            "email": patient.email,
            "role": "PATIENT",
            "status": "ACTIVE",
            "first_name": "Mona",
            "last_name": "Adel",
            "phone": "+201001234567",
            "language": "en",
            "time_zone": "Africa/Cairo",
        },
    }
    assert with_token(answer.json()["access_token"]).status_code == 200


def test_address_is_read_without_regard_to_case(patient: User) -> None:
    answer = api_client().post(LOGIN, {"email": patient.email.upper(), "password": PASSWORD})

    assert answer.status_code == 200


def test_wrong_password_and_unknown_address_are_answered_alike(patient: User) -> None:
    wrong = api_client().post(LOGIN, {"email": patient.email, "password": "wrong password"})
    unknown = api_client().post(LOGIN, {"email": "no@example.org", "password": PASSWORD})

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content


def test_unknown_address_costs_the_hashing_of_a_password(monkeypatch, patient: User) -> None:
    hashed: list[str] = []
    encode = Argon2PasswordHasher.encode

    def counting(hasher: Argon2PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(hasher, password, salt)

    monkeypatch.setattr(Argon2PasswordHasher, "encode", counting)

    api_client().post(LOGIN, {"email": "no@example.org", "password": PASSWORD})

    assert hashed == [PASSWORD]


def test_session_says_where_from(patient: User) -> None:
    api_client().post(
        LOGIN,
        {"email": patient.email, "password": PASSWORD, "device_name": "Mona's phone"},
        headers={"User-Agent": "MediSync/1.0 (Android)"},
    )

    session = DeviceSession.objects.get()
    assert (session.device_name, session.user_agent, session.ip_address, session.method) == (
        "Mona's phone",
        "MediSync/1.0 (Android)",
        "127.0.0.1",
        "PASSWORD",
    )


def test_user_agent_of_any_length_is_survived(patient: User) -> None:
    answer = api_client().post(
        LOGIN,
        {"email": patient.email, "password": PASSWORD},
        headers={"User-Agent": "é" + "x" * 5000},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.INACTIVE])
def test_closed_account_is_told_so_only_with_the_right_password(status: Status) -> None:
    user = PatientFactory(status=status)

    right = api_client().post(LOGIN, {"email": user.email, "password": PASSWORD})
    wrong = api_client().post(LOGIN, {"email": user.email, "password": "wrong password"})

    assert (right.status_code, right.json()["errors"][0]["code"]) == (403, "account_closed")
    assert wrong.status_code == 401
    assert not DeviceSession.objects.exists()


@pytest.mark.parametrize("status", [Status.PENDING_APPROVAL, Status.RETURNED, Status.REJECTED])
def test_applicants_may_sign_in_and_see_where_they_stand(status: Status) -> None:
    doctor = DoctorFactory(status=status)

    answer = api_client().post(LOGIN, {"email": doctor.email, "password": PASSWORD})

    assert answer.json()["user"]["status"] == status


def test_sixth_attempt_in_a_minute_is_turned_away(patient: User) -> None:
    client = api_client()
    for _ in range(5):
        client.post(LOGIN, {"email": patient.email, "password": "wrong password"})

    answer = client.post(LOGIN, {"email": patient.email, "password": PASSWORD})

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= 1


def test_neighbours_in_a_waiting_room_sign_in_side_by_side(patient: User, stranger: User) -> None:
    for _ in range(6):
        api_client().post(LOGIN, {"email": patient.email, "password": "wrong password"})

    app = api_client().post(LOGIN, {"email": stranger.email, "password": PASSWORD})
    browser = page_client().post("/login", {"email": stranger.email, "password": PASSWORD})

    assert (app.status_code, browser.status_code) == (200, 302)


def test_address_that_floods_is_turned_away_at_either_door(patient: User) -> None:
    for n in range(30):
        api_client().post(LOGIN, {"email": f"{n}@", "password": "x"})
        page_client().post("/login", {"email": f"page-{n}@", "password": "x"})

    app = api_client().post(LOGIN, {"email": patient.email, "password": PASSWORD})
    browser = page_client().post("/login", {"email": patient.email, "password": PASSWORD})

    assert (app.status_code, browser.status_code) == (429, 429)


@pytest.mark.parametrize("body", [[], ["email"], {"email": ["a"]}, {"email": None}, "x", 1])
def test_body_of_any_shape_is_refused(body: object) -> None:
    assert api_client().post(LOGIN, body).status_code == 400


def test_half_a_character_is_refused() -> None:
    answer = api_client().generic(
        "POST", LOGIN, rb'{"email": "\ud800", "password": "x"}', content_type="application/json"
    )

    assert answer.status_code == 400


def test_forwarded_address_of_an_untrusted_caller_changes_nothing(patient: User) -> None:
    client = api_client()

    statuses = [
        client.post(
            LOGIN,
            {"email": patient.email, "password": "wrong password"},
            headers={"X-Forwarded-For": f"203.0.113.{n}"},
        ).status_code
        for n in range(6)
    ]

    assert statuses == [401] * 5 + [429]


def test_access_token_expires_after_fifteen_minutes(patient: User) -> None:
    token = access_token(patient)

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=15, seconds=1)):
        answer = with_token(token)

    assert answer.status_code == 401


def test_refresh_token_is_no_access_token(patient: User) -> None:
    pair = token_pair(sign_in(patient), now=timezone.now())

    assert with_token(pair["refresh_token"]).status_code == 401


def test_suspension_stops_a_token_at_once(patient: User) -> None:
    token = access_token(patient)
    User.objects.filter(pk=patient.pk).update(status=Status.SUSPENDED)

    assert with_token(token).status_code == 401


def test_ended_session_stops_its_token_at_once(patient: User) -> None:
    token = access_token(patient)
    DeviceSession.objects.update(revoked_at=timezone.now())

    assert with_token(token).status_code == 401


def forged(claims: dict[str, Any], key: str = "", algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key or settings.SECRET_KEY, algorithm=algorithm)


def test_properly_signed_token_is_accepted(patient: User) -> None:
    """The control of the forgeries below."""
    assert with_token(forged(claims_of(access_token(patient)))).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "elsewhere"},
        {"iss": "elsewhere"},
        {"token_type": "refresh"},
        {"token_type": "onboarding"},
        {"exp": 0},
        {"sid": "not a uuid"},
        {"sid": 7},
        {"sid": None},
        {"sid": ["a", "list"]},
        {"sub": NOBODY},
        {"sub": "not a uuid"},
        {"sub": None},
        {"sid": NOBODY},
    ],
    ids=str,
)
def test_token_with_a_wrong_claim_is_refused(patient: User, change: dict[str, Any]) -> None:
    claims = claims_of(access_token(patient)) | change

    answer = with_token(forged({k: v for k, v in claims.items() if v is not None}))

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("missing", ["aud", "iss", "exp", "sid", "sub", "token_type", "jti"])
def test_token_without_a_claim_is_refused(patient: User, missing: str) -> None:
    claims = claims_of(access_token(patient))
    del claims[missing]

    assert with_token(forged(claims)).status_code == 401


def test_token_signed_with_another_key_is_refused(patient: User) -> None:
    claims = claims_of(access_token(patient))

    assert with_token(forged(claims, key="k" * 64)).status_code == 401


def test_token_signed_with_another_algorithm_is_refused(patient: User) -> None:
    claims = claims_of(access_token(patient))

    assert with_token(forged(claims, algorithm="HS512")).status_code == 401


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_unsigned_token_is_refused(patient: User, algorithm: str) -> None:
    _, body, _ = access_token(patient).split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).rstrip(
        b"="
    )

    assert with_token(f"{header.decode()}.{body}.").status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Basic dXNlcjpwYXNz",
        "Token x",
        "Bearer x.y.z",
        "Bearer ..",
        "Bearer é",
        "Bearer " + "x" * 9000,
        "Bearer \x00",
    ],
    ids=repr,
)
def test_malformed_authorization_is_a_401_in_the_one_shape(header: str) -> None:
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=header)

    answer = client.get(PROFILE)

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


def test_token_in_the_query_string_is_ignored(patient: User) -> None:
    answer = api_client().get(f"{PROFILE}?access_token={access_token(patient)}")

    assert answer.status_code == 401


def test_last_seen_is_written_every_five_minutes_at_most(patient: User) -> None:
    client = api_client(patient)
    DeviceSession.objects.update(last_seen_at=timezone.now() - dt.timedelta(minutes=4))
    before = DeviceSession.objects.get().last_seen_at

    client.get(PROFILE)
    unchanged = DeviceSession.objects.get().last_seen_at
    DeviceSession.objects.update(last_seen_at=timezone.now() - dt.timedelta(minutes=6))
    client.get(PROFILE)

    assert unchanged == before
    assert timezone.now() - DeviceSession.objects.get().last_seen_at < dt.timedelta(minutes=1)
