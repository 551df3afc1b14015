"""A browser is known again by a secret of its own, and not by where it is or what it calls
itself: strangers can be in the same waiting room, and use the same browser."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.device_keys import COOKIE
from accounts.models import DeviceSession, User
from accounts.services.sign_in import ACCOUNT_TRIES
from accounts.tests.factories import PASSWORD
from medisync.tests.client import api_client
from notifications.models import Notification

pytestmark = pytest.mark.django_db
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
CLINIC, TRAIN = "203.0.113.7", "198.51.100.9"
DOORS = ("api", "page")
NOBODY = "nobody@example.org"


def knock(
    client: Client, email: str, password: str = "a wrong sentence", *, address: str = CLINIC
) -> int:
    """Somebody tries to sign in; what the rate limits count is not what is asked here."""
    cache.clear()
    answer = client.post(
        "/api/v1/auth/login" if hasattr(client, "credentials") else "/login",
        {"email": email, "password": password},
        headers={"User-Agent": CHROME},
        REMOTE_ADDR=address,
    )
    return answer.status_code


def client_of(door: str) -> Client:
    return api_client() if door == "api" else Client()


def let_in(door: str) -> int:
    return 200 if door == "api" else 302


def told(user: User) -> int:
    return Notification.objects.filter(recipient=user, kind="NEW_DEVICE").count()


@pytest.mark.parametrize("door", DOORS)
def test_same_kind_of_browser_in_other_hands_is_news(patient: User, door: str) -> None:
    knock(client_of(door), patient.email, PASSWORD)

    knock(client_of(door), patient.email, PASSWORD)

    assert told(patient) == 1


@pytest.mark.parametrize("door", DOORS)
def test_same_browser_elsewhere_is_no_news(patient: User, door: str) -> None:
    mine = client_of(door)

    for address in (CLINIC, TRAIN):
        assert knock(mine, patient.email, PASSWORD, address=address) == let_in(door)
        mine.cookies.pop(settings.SESSION_COOKIE_NAME, None)

    assert told(patient) == 0


def test_limits_do_not_tell_who_of_a_waiting_room_has_an_account(patient: User) -> None:
    """What a stranger in the same network sees, from there and then from elsewhere."""
    knock(Client(), patient.email, PASSWORD, address=CLINIC)
    seen = {
        email: [
            knock(api_client(), email, address=address)
            for address in [CLINIC] * (ACCOUNT_TRIES + 1) + [TRAIN]
        ]
        for email in (patient.email, NOBODY)
    }

    assert seen[patient.email] == seen[NOBODY] == [401] * ACCOUNT_TRIES + [429, 429]


@pytest.mark.parametrize("door", DOORS)
def test_strangers_do_not_lock_out_the_owner_on_the_way(patient: User, door: str) -> None:
    mine = client_of(door)
    knock(mine, patient.email, PASSWORD, address=CLINIC)
    mine.cookies.pop(settings.SESSION_COOKIE_NAME, None)

    for n in range(ACCOUNT_TRIES):
        knock(api_client(), patient.email, address=f"192.0.2.{n}")

    assert knock(client_of(door), patient.email, PASSWORD, address=CLINIC) == 429
    assert knock(mine, patient.email, PASSWORD, address=TRAIN) == let_in(door)


def test_guesses_on_the_owners_own_device_are_counted_too(patient: User) -> None:
    mine = Client()
    knock(mine, patient.email, PASSWORD)
    mine.cookies.pop(settings.SESSION_COOKIE_NAME)
    for _ in range(ACCOUNT_TRIES):
        knock(mine, patient.email)

    assert knock(mine, patient.email, PASSWORD) == 429


def test_device_of_one_account_is_a_stranger_to_another(patient: User, stranger: User) -> None:
    theirs = Client()
    knock(theirs, stranger.email, PASSWORD)
    theirs.cookies.pop(settings.SESSION_COOKIE_NAME)
    for _ in range(ACCOUNT_TRIES):
        knock(theirs, patient.email)

    assert knock(api_client(), patient.email, address=TRAIN) == 429


@pytest.mark.parametrize("key", ["", "x", "é" * 43, "a" * 44, "a" * 42 + " "])
def test_key_that_we_never_gave_is_replaced(patient: User, key: str) -> None:
    mine = Client()
    mine.cookies[COOKIE] = key

    assert knock(mine, patient.email, PASSWORD) == 302

    assert mine.cookies[COOKIE].value != key
    assert len(mine.cookies[COOKIE].value) == 43


def test_key_is_kept_as_a_digest_and_out_of_reach_of_scripts(patient: User) -> None:
    mine = Client()
    knock(mine, patient.email, PASSWORD)

    cookie, session = mine.cookies[COOKIE], DeviceSession.objects.get()
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie.value not in str(DeviceSession.objects.values().get())
    assert len(session.device_digest) == 64


def test_device_shown_the_door_is_a_stranger_when_it_comes_back(patient: User) -> None:
    theirs, mine = Client(), Client()
    knock(theirs, patient.email, PASSWORD)
    knock(mine, patient.email, PASSWORD)
    of_theirs = DeviceSession.objects.earliest("pk")
    mine.post(f"/sessions/{of_theirs.pk}/revoke")

    knock(theirs, patient.email, PASSWORD)

    assert told(patient) == 2


def test_device_that_signed_itself_out_is_known(patient: User) -> None:
    mine = Client()
    for _ in range(2):
        knock(mine, patient.email, PASSWORD)
        mine.post("/logout")

    assert told(patient) == 0


def test_waiting_room_forgets_nothing_by_a_new_address(patient: User) -> None:
    """The wait is the account's for every stranger, and ends within a quarter of an hour."""
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        for n in range(200):
            knock(api_client(), patient.email, address=f"192.0.2.{n}")

    with time_machine.travel(now + dt.timedelta(minutes=15)):
        assert knock(api_client(), patient.email, PASSWORD, address=TRAIN) == 200
