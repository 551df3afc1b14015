"""Tokens that open nothing: every one of them, on every route of the API that asks for one, and
on the socket."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
import websocket
from django.conf import settings
from django.utils import timezone

from accounts.models import DeviceSession, PendingSignIn, SignInMethod, Status, User
from accounts.services.sessions import refresh_session
from accounts.tests.factories import PatientFactory
from accounts.tokens import onboarding_token, second_factor_token, token_pair
from common import close_codes
from common.ids import uuid7
from medisync.tests.client import api_client, sign_in
from medisync.tests.servers import web_server


def access_token(session: DeviceSession) -> str:
    return token_pair(session, now=timezone.now())["access_token"]


def with_claims(**changes: Any) -> str:
    """A good token of a fresh session, with other claims and the right signature."""
    claims = jwt.decode(
        access_token(sign_in(PatientFactory())), options={"verify_signature": False}
    )
    kept = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(kept, settings.SECRET_KEY, algorithm="HS256")


def expired() -> str:
    session = sign_in(PatientFactory())
    long_ago = (
        timezone.now() - settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"] - dt.timedelta(seconds=1)
    )
    return token_pair(session, now=long_ago)["access_token"]


def of_closed_account(status: Status) -> str:
    user = PatientFactory()
    token = access_token(sign_in(user))
    User.objects.filter(pk=user.pk).update(status=status)
    return token


def of_ended_session(**ended: Any) -> str:
    session = sign_in(PatientFactory())
    token = access_token(session)
    DeviceSession.objects.filter(pk=session.pk).update(**ended)
    return token


def of_stolen_session() -> str:
    """Its refresh token was used twice, so the session has ended with all its tokens."""
    session = sign_in(PatientFactory())
    pair = token_pair(session, now=timezone.now())
    _session, second = refresh_session(refresh_token=pair["refresh_token"])
    refresh_session(refresh_token=second["refresh_token"])
    answer = api_client().post("/api/v1/auth/refresh", {"refresh_token": pair["refresh_token"]})
    assert answer.status_code == 401
    return str(second["access_token"])


def unsigned(name: str) -> str:
    header = base64.urlsafe_b64encode(json.dumps({"alg": name, "typ": "JWT"}).encode())
    body = access_token(sign_in(PatientFactory())).split(".")[1]
    return f"{header.decode().rstrip('=')}.{body}."


def signed_otherwise(key: str, algorithm: str) -> str:
    claims = jwt.decode(
        access_token(sign_in(PatientFactory())), options={"verify_signature": False}
    )
    return jwt.encode(claims, key or settings.SECRET_KEY, algorithm=algorithm)


def of_second_factor() -> str:
    pending = PendingSignIn.objects.create(
        user=PatientFactory(),
        method=SignInMethod.PASSWORD,
        expires_at=timezone.now() + PendingSignIn.LASTS,
    )
    return second_factor_token(pending)


def refresh_token() -> str:
    return str(token_pair(sign_in(PatientFactory()), now=timezone.now())["refresh_token"])


ATTACKS: dict[str, Callable[[], str]] = {
    "expired": expired,
    "suspended user": lambda: of_closed_account(Status.SUSPENDED),
    "deactivated user": lambda: of_closed_account(Status.INACTIVE),
    "anonymised user": lambda: of_closed_account(Status.ANONYMISED),
    "revoked session": lambda: of_ended_session(revoked_at=timezone.now()),
    "expired session": lambda: of_ended_session(expires_at=timezone.now()),
    "session of a reused refresh token": of_stolen_session,
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "wrong key": lambda: signed_otherwise("k" * 64, "HS256"),
    "wrong algorithm": lambda: signed_otherwise("", "HS512"),
    "wrong audience": lambda: with_claims(aud="elsewhere"),
    "no audience": lambda: with_claims(aud=None),
    "wrong issuer": lambda: with_claims(iss="elsewhere"),
    "somebody else's session": lambda: with_claims(sub=str(uuid7())),
    "unknown session": lambda: with_claims(sid=str(uuid7())),
    "refresh token": refresh_token,
    "second-factor token": of_second_factor,
    "onboarding token": lambda: onboarding_token(PatientFactory(status=Status.EMAIL_VERIFIED)),
}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["access", "onboarding", "second factor"])
def test_nothing_but_a_refresh_token_refreshes(patient: User, kind: str) -> None:
    tokens = {
        "access": lambda: access_token(sign_in(patient)),
        "onboarding": lambda: onboarding_token(patient),
        "second factor": of_second_factor,
    }

    answer = api_client().post("/api/v1/auth/refresh", {"refresh_token": tokens[kind]()})

    assert answer.status_code == 401
    assert [error["code"] for error in answer.json()["errors"]] == ["token_not_valid"]


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    with django_db_blocker.unblock(), web_server() as address:
        yield address


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attack", ATTACKS)
def test_token_opens_no_socket(server: str, attack: str) -> None:
    socket = websocket.create_connection(
        server.replace("http:", "ws:") + "/ws",
        timeout=10,
        subprotocols=["medisync.v1", f"bearer.{ATTACKS[attack]()}"],
        suppress_origin=True,
    )

    opcode, data = socket.recv_data()

    socket.shutdown()
    assert opcode == websocket.ABNF.OPCODE_CLOSE
    assert int.from_bytes(data[:2], "big") == close_codes.NOT_SIGNED_IN
