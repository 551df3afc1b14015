"""Refresh tokens: rotated at each use; a spent one ends the session, but for a retry."""

from __future__ import annotations

import datetime as dt

import jwt
import pytest
import time_machine
from django.utils import timezone

from accounts.models import DeviceSession, Status, User
from accounts.services.sessions import InvalidRefreshToken, refresh_session
from accounts.tokens import token_pair
from medisync.tests.client import api_client, sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
URL = "/api/v1/auth/refresh"


def refresh_id(token: str) -> str:
    return jwt.decode(token, options={"verify_signature": False})["jti"]


def first_token(user: User) -> str:
    return token_pair(sign_in(user), now=timezone.now())["refresh_token"]


def next_token(token: str) -> str:
    _session, pair = refresh_session(refresh_token=token)
    return pair["refresh_token"]


def test_refreshing_gives_a_new_pair_that_works(patient: User) -> None:
    answer = api_client().post(URL, {"refresh_token": first_token(patient)})

    assert answer.status_code == 200
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access_token']}")
    assert client.get("/api/v1/users/profile").status_code == 200


def test_each_refresh_gives_another_token(patient: User) -> None:
    first = first_token(patient)

    second = next_token(first)
    third = next_token(second)

    assert len({refresh_id(token) for token in (first, second, third)}) == 3


def test_retry_within_ten_seconds_gets_the_current_token(patient: User) -> None:
    first = first_token(patient)
    second = next_token(first)

    with time_machine.travel(timezone.now() + dt.timedelta(seconds=9)):
        again = next_token(first)

    assert refresh_id(again) == refresh_id(second)
    assert not DeviceSession.objects.get().revoked_at


def test_spent_token_after_ten_seconds_ends_the_session(patient: User) -> None:
    first = first_token(patient)
    second = next_token(first)

    with time_machine.travel(timezone.now() + DeviceSession.REFRESH_GRACE):
        with pytest.raises(InvalidRefreshToken):
            next_token(first)
        with pytest.raises(InvalidRefreshToken):
            next_token(second)

    session = DeviceSession.objects.get()
    assert session.revoked_at
    assert session.revoked_reason == "refresh_token_reused"


def test_token_older_than_the_last_gets_no_grace(patient: User) -> None:
    first = first_token(patient)
    third = next_token(next_token(first))

    with pytest.raises(InvalidRefreshToken):
        next_token(first)

    with pytest.raises(InvalidRefreshToken):
        next_token(third)


def test_reuse_stops_the_access_token_too(patient: User) -> None:
    first = first_token(patient)
    _session, pair = refresh_session(refresh_token=first)
    DeviceSession.objects.update(rotated_at=timezone.now() - dt.timedelta(minutes=1))

    reused = api_client().post(URL, {"refresh_token": first})

    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access_token']}")
    assert reused.status_code == 401
    assert client.get("/api/v1/users/profile").status_code == 401


def test_reuse_leaves_other_devices_signed_in(patient: User) -> None:
    other = api_client(patient)
    first = first_token(patient)
    next_token(next_token(first))

    with pytest.raises(InvalidRefreshToken):
        next_token(first)

    assert other.get("/api/v1/users/profile").status_code == 200


def test_refresh_token_expires_after_seven_days(patient: User) -> None:
    token = first_token(patient)

    with (
        time_machine.travel(timezone.now() + dt.timedelta(days=7, seconds=1)),
        pytest.raises(InvalidRefreshToken),
    ):
        next_token(token)


def test_session_lives_on_while_it_is_refreshed(patient: User) -> None:
    token = first_token(patient)

    for days in (6, 12, 18):
        with time_machine.travel(timezone.now() + dt.timedelta(days=days)):
            token = next_token(token)

    assert DeviceSession.objects.get().expires_at > timezone.now() + dt.timedelta(days=24)


def test_access_token_does_not_refresh(patient: User) -> None:
    pair = token_pair(sign_in(patient), now=timezone.now())

    answer = api_client().post(URL, {"refresh_token": pair["access_token"]})

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "token_not_valid"


def test_suspended_user_cannot_refresh(patient: User) -> None:
    token = first_token(patient)
    User.objects.update(status=Status.SUSPENDED)

    with pytest.raises(InvalidRefreshToken):
        next_token(token)


def test_ended_session_cannot_be_refreshed(patient: User) -> None:
    token = first_token(patient)
    DeviceSession.objects.update(revoked_at=timezone.now())

    with pytest.raises(InvalidRefreshToken):
        next_token(token)


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "é", "x" * 2000])
def test_nonsense_is_a_401(token: str) -> None:
    answer = api_client().post(URL, {"refresh_token": token})

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.django_db(transaction=True)
def test_one_token_refreshed_twice_at_once_gives_one_child(patient: User) -> None:
    token = first_token(patient)

    racers = race(lambda: next_token(token), lambda: next_token(token), gate=DeviceSession)

    assert errors(racers) == ["", ""]
    current = {refresh_id(racer.value) for racer in racers}
    assert current == {str(DeviceSession.objects.get().refresh_id)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_two_children_would_be_born(patient: User) -> None:
    """What the lock is for: one client would hold a token that is void from birth."""
    token = first_token(patient)

    racers = race(lambda: next_token(token), lambda: next_token(token), gate=DeviceSession)

    assert len({refresh_id(racer.value) for racer in racers}) == 2
