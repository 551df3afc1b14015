"""Whoever owns an account hears of a sign-in on a device not used before."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from accounts.tests.factories import PASSWORD
from medisync.devstack.mailbox import Mailbox
from medisync.tests.client import api_client
from notifications import outbox
from notifications.models import EmailDelivery, Notification

pytestmark = pytest.mark.django_db
CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/{}.0.0.0 Mobile Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
DOORS = ("api", "page")


def come_in(
    user: User, door: str, agent: str, *, device_name: str = "", on: Client | None = None
) -> None:
    """On a device not used before, unless it is named by its cookies."""
    headers, body = {"User-Agent": agent}, {"email": user.email, "password": PASSWORD}
    client = api_client() if door == "api" else Client()
    if on is not None:
        client.cookies = on.cookies
        client.cookies.pop(settings.SESSION_COOKIE_NAME, None)
    if door == "page":
        answer = client.post("/login", body, headers=headers)
        assert answer.status_code == 302
    else:
        body |= {"device_name": device_name}
        assert client.post("/api/v1/auth/login", body, headers=headers).status_code == 200


def titles() -> list[str]:
    return [told.title for told in Notification.objects.filter(kind="NEW_DEVICE")]


@pytest.mark.parametrize("door", DOORS)
def test_first_device_of_all_is_no_news(patient: User, door: str) -> None:
    come_in(patient, door, FIREFOX)

    assert titles() == []


@pytest.mark.parametrize("door", DOORS)
def test_newer_version_of_a_browser_is_no_news(patient: User, door: str) -> None:
    mine = Client()
    for version in (139, 140, 141):
        come_in(patient, door, CHROME.format(version), on=mine)

    assert titles() == []


@pytest.mark.parametrize("door", DOORS)
def test_another_browser_is_told_by_its_name(patient: User, door: str) -> None:
    come_in(patient, door, CHROME.format(140))

    come_in(patient, door, FIREFOX)

    assert titles() == ["Your account was signed in to on a new device (Firefox · Linux)."]


def test_device_known_from_one_door_is_known_at_the_other(patient: User) -> None:
    mine = Client()
    come_in(patient, "page", FIREFOX, on=mine)

    come_in(patient, "api", FIREFOX, on=mine)

    assert titles() == []


def test_app_without_a_browser_is_told_by_the_name_it_gave(patient: User) -> None:
    come_in(patient, "page", FIREFOX)

    come_in(patient, "api", "okhttp/5.1", device_name="Mona's phone")

    assert titles() == ["Your account was signed in to on a new device (Mona's phone)."]


def test_what_others_use_is_new_to_this_account(patient: User, stranger: User) -> None:
    come_in(stranger, "page", FIREFOX)
    come_in(patient, "page", CHROME.format(140))

    come_in(patient, "page", FIREFOX)

    assert [told.recipient for told in Notification.objects.filter(kind="NEW_DEVICE")] == [patient]


def test_wrong_password_is_no_sign_in(patient: User) -> None:
    come_in(patient, "page", FIREFOX)

    Client().post(
        "/login",
        {"email": patient.email, "password": "wrong password"},
        headers={"User-Agent": CHROME.format(140)},
    )

    assert titles() == []


def test_mail_says_that_it_happened_and_nothing_about_the_device(
    mailbox: Mailbox, patient: User
) -> None:
    come_in(patient, "page", FIREFOX)
    come_in(patient, "api", CHROME.format(140), device_name="Mona's phone")

    outbox.deliver(EmailDelivery.objects.get(kind="NEW_DEVICE").pk)

    (mail,) = mailbox.newest(to=patient.email)
    said = mail.subject + mail.text + mail.html
    assert mail.subject == "A new device signed in to your MediSync account"
    assert "/sessions" in mail.text
    assert [word for word in ("Chrome", "Android", "Mona", "127.0.0.1") if word in said] == []


@pytest.mark.parametrize("name", ["Visit\nhttps://evil.example", "\u202egnp.exe", "x" * 41])
def test_app_does_not_put_words_of_its_own_in_the_mail(patient: User, name: str) -> None:
    answer = api_client().post(
        "/api/v1/auth/login",
        {"email": patient.email, "password": PASSWORD, "device_name": name},
    )

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "device_name"
