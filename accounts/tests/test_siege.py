"""An attack that does not stop: for an hour, and for as long as the owner is on their way in.

Five hundred addresses guess at the password and at codes, ask for mails to the owner's address by
every door, and are always there first. The owner stands before a browser that the account never
knew, and is in within a quarter of an hour.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from itertools import cycle

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import DeviceSession, PasswordReset, User
from accounts.services.passwords import prepare_reset
from accounts.tests.factories import PASSWORD
from accounts.tests.factors import code_of as code_of_app
from accounts.tests.factors import with_totp
from accounts.tests.registering import wrong_code
from accounts.tests.resetting import NEW_PASSWORD, link_to
from medisync.tests.client import api_client
from notifications.models import EmailDelivery

pytestmark = pytest.mark.django_db
ADDRESSES = [f"10.0.{n // 250}.{n % 250 + 1}" for n in range(500)]
HOME = "203.0.113.7"
PATIENCE = dt.timedelta(minutes=15)
STEP = dt.timedelta(seconds=30)


@pytest.fixture(autouse=True)
def _unlogged() -> Iterator[None]:
    """A line for each refusal would take as long as the refusal."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


class Siege:
    """Everybody who is after one account. Each knock comes from another address, and takes
    whatever strangers may share."""

    def __init__(self, email: str) -> None:
        self.email = email
        self.client = api_client()
        self.addresses = cycle(ADDRESSES)
        self.knocks = 0

    def last(self, duration: dt.timedelta) -> dt.datetime:
        """Each address knocks once; when the last one has."""
        began, pause = timezone.now(), duration / len(ADDRESSES)
        for number in range(len(ADDRESSES)):
            with time_machine.travel(began + number * pause, tick=False):
                self.knock()
        return began + duration

    def knock(self) -> None:
        address = next(self.addresses)
        self.knocks += 1
        self._post("login", address, {"email": self.email, "password": f"a guess from {address}"})
        if self.knocks % 10 == 1:
            self._register(address)
        answer = self._post("forgot-password", address, {"email": self.email})
        if "reset_id" in answer:
            self._burn(PasswordReset.objects.get(pk=answer["reset_id"]), address)

    def _burn(self, reset: PasswordReset, address: str) -> None:
        """The worker has mailed the owner a code: all of its tries, spent."""
        prepare_reset(reset_id=reset.pk)
        body = {"reset_id": str(reset.pk), "otp": wrong_code(reset)}
        for _ in range(5):
            self._post("verify-reset-otp", address, body)

    def _register(self, address: str) -> None:
        begun = self._post("register/init", address, {"role": "PATIENT"})
        self._post(
            "register/basic",
            address,
            {
                "registration_id": begun["registration_id"],
                "email": self.email,
                "password": "a sentence of theirs",
                "confirm_password": "a sentence of theirs",
                "first_name": "Some",
                "last_name": "Body",
            },
        )

    def _post(self, route: str, address: str, body: dict[str, str]) -> dict[str, str]:
        return self.client.post(f"/api/v1/auth/{route}", body, REMOTE_ADDR=address).json()


def post(browser: Client, path: str, body: dict[str, str]) -> int:
    """The owner's, of whom the rate limits of an address are not what is asked here."""
    cache.clear()
    return browser.post(path, body, REMOTE_ADDR=HOME).status_code


def come_in(owner: User, siege: Siege, browser: Client) -> bool:
    """What the owner can do at one moment, the attackers before each step; whether they are in."""
    siege.knock()
    post(browser, "/password/forgot", {"email": owner.email})
    siege.knock()
    link = link_to(owner.email)
    if browser.get(link, REMOTE_ADDR=HOME).status_code != 200:
        return False
    assert post(browser, link, {"new_password": NEW_PASSWORD}) == 200
    for _ in range(10):
        siege.knock()
    post(browser, "/login", {"email": owner.email, "password": NEW_PASSWORD})
    return DeviceSession.objects.filter(user=owner).exists()


def moments(arrival: dt.datetime) -> Iterator[dt.datetime]:
    """A quarter of an hour of looking into the mailbox every now and then."""
    return (arrival + n * STEP for n in range(PATIENCE // STEP + 1))


def minutes_until_in(owner: User, siege: Siege, *, arrival: dt.datetime) -> float | None:
    """How long it takes; the world is as before afterwards."""
    browser = Client()
    with transaction.atomic():
        for moment in moments(arrival):
            with time_machine.travel(moment, tick=False):
                if come_in(owner, siege, browser):
                    break
        session = DeviceSession.objects.filter(user=owner).first()
        transaction.set_rollback(True)
    return (session.created_at - arrival) / dt.timedelta(minutes=1) if session else None


def test_owner_on_a_new_device_gets_in_while_the_attack_goes_on(patient: User) -> None:
    siege = Siege(patient.email)
    ended = siege.last(dt.timedelta(hours=1))

    waited = [
        minutes_until_in(patient, siege, arrival=ended + dt.timedelta(minutes=later))
        for later in (0, 4, 8, 12)
    ]

    assert None not in waited
    assert max(waited) <= 15


def test_without_the_mail_the_right_password_waits_like_every_guess(patient: User) -> None:
    """That the attack is one; and what it costs in mails."""
    siege, browser = Siege(patient.email), Client()
    ended = siege.last(dt.timedelta(hours=1))
    # In an hour: eight at once, then after 30 s, 1, 2, 4 and 8 min, then every 15 min.
    assert EmailDelivery.objects.filter(kind="PASSWORD_RESET_CODE").count() <= 16
    assert EmailDelivery.objects.filter(kind="ALREADY_REGISTERED").count() <= 16

    for moment in moments(ended):
        with time_machine.travel(moment, tick=False):
            siege.knock()
            body = {"email": patient.email, "password": PASSWORD}
            assert post(browser, "/login", body) == 429
            assert post(browser, "/password/forgot", {"email": patient.email}) == 429


def test_second_factor_is_asked_for_under_attack_too(patient: User) -> None:
    totp, _codes = with_totp(patient)
    siege, browser = Siege(patient.email), Client()
    ended = siege.last(dt.timedelta(minutes=20))

    with time_machine.travel(ended, tick=False):
        siege.knock()
    with time_machine.travel(ended + PATIENCE, tick=False):
        assert not come_in(patient, siege, browser)
        siege.knock()
        post(browser, "/login/second-factor", {"code": code_of_app(totp)})

    assert DeviceSession.objects.get().factor == "TOTP"
