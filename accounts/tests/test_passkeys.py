"""Passkeys: added, named, removed; a second factor, and instead of a password."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.jobs import delete_lapsed_sign_ins
from accounts.models import (
    DeviceSession,
    Passkey,
    PasskeyChallenge,
    PendingSignIn,
    RecoveryCode,
    Status,
    User,
)
from accounts.services.passkeys import (
    InvalidPasskey,
    Purpose,
    ask_of,
    ask_to_register,
    ask_to_sign_in,
    prove,
)
from accounts.tests.authenticator import Authenticator
from accounts.tests.factories import PASSWORD
from accounts.tests.factors import unconfirmed, with_passkey, with_totp
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, race
from notifications.models import Notification

pytestmark = pytest.mark.django_db
PASSKEYS = "/api/v1/auth/passkeys"
SIGN_IN = f"{PASSKEYS}/sign-in"
SECOND = "/api/v1/auth/mfa/passkey"
LOGIN = "/api/v1/auth/login"


def registering(client, authenticator: Authenticator, **more: Any):
    asked = client.post(f"{PASSKEYS}/options").json()
    body = {
        "challenge_id": asked["challenge_id"],
        "credential": authenticator.create(asked["options"]),
    }
    return client.post(PASSKEYS, body | more)


def signing_in(authenticator: Authenticator, **more: Any):
    cache.clear()
    asked = api_client().post(f"{SIGN_IN}/options").json()
    body = {
        "challenge_id": asked["challenge_id"],
        "credential": authenticator.get(asked["options"]),
    }
    return api_client().post(SIGN_IN, body | more)


def is_refused(answer) -> bool:
    return (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_passkey")


def test_first_passkey_comes_with_recovery_codes(patient: User) -> None:
    answer = registering(api_client(patient), Authenticator(), name="My phone")

    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["passkey"]["name"] == "My phone"
    assert len(answer.json()["recovery_codes"]) == RecoveryCode.NUMBER
    assert patient.has_second_factor
    assert DeviceSession.objects.get().factor == "PASSKEY"
    assert [row.kind for row in Notification.objects.all()] == ["FACTOR_CHANGED"]


def test_further_passkey_leaves_the_recovery_codes(patient: User) -> None:
    with_totp(patient)

    answer = registering(api_client(patient), Authenticator())

    assert answer.json()["recovery_codes"] == []
    assert RecoveryCode.objects.count() == RecoveryCode.NUMBER


def test_browser_is_asked_for_a_key_of_its_owner_and_not_for_one_it_holds(patient: User) -> None:
    passkey, _ = with_passkey(patient)

    options = api_client(patient).post(f"{PASSKEYS}/options").json()["options"]

    assert options["rp"] == {"name": "MediSync", "id": "testserver"}
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["attestation"] == "none"
    assert [one["type"] for one in options["excludeCredentials"]] == ["public-key"]
    assert bytes(passkey.credential_id)


def test_passkey_without_a_name_is_called_after_the_browser(patient: User) -> None:
    client = api_client(patient)
    client.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 (Android 14) Firefox/130.0"

    answer = registering(client, Authenticator())

    assert answer.json()["passkey"]["name"] == "Firefox · Android"


def test_adding_asks_who_it_is(patient: User) -> None:
    client = api_client(patient)
    unconfirmed(DeviceSession.objects.get())

    answer = client.post(f"{PASSKEYS}/options")

    assert answer.json()["errors"][0]["code"] == "confirmation_required"


def test_same_key_is_not_added_twice(patient: User, stranger: User) -> None:
    _, authenticator = with_passkey(patient)

    answer = registering(api_client(stranger), authenticator)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "passkey_exists")


@pytest.mark.parametrize(
    "authenticator",
    [
        pytest.param({"origin": "https://evil.example"}, id="foreign origin"),
        pytest.param({"origin": "https://testserver"}, id="another scheme"),
        pytest.param({"origin": "http://sub.testserver"}, id="subdomain"),
        pytest.param({"verifies_user": False}, id="nobody verified"),
    ],
)
def test_key_made_elsewhere_or_by_nobody_is_refused(
    patient: User, authenticator: dict[str, Any]
) -> None:
    answer = registering(api_client(patient), Authenticator(**authenticator))

    assert is_refused(answer)
    assert not Passkey.objects.exists()


def test_answer_for_another_users_challenge_is_refused(patient: User, stranger: User) -> None:
    asked = ask_to_register(session=sign_in(stranger))

    answer = api_client(patient).post(
        PASSKEYS,
        {
            "challenge_id": str(asked.challenge_id),
            "credential": Authenticator().create(asked.options),
        },
    )

    assert is_refused(answer)
    assert not Passkey.objects.exists()


def test_registration_is_good_once(patient: User) -> None:
    client = api_client(patient)
    asked = client.post(f"{PASSKEYS}/options").json()
    body = {
        "challenge_id": asked["challenge_id"],
        "credential": Authenticator().create(asked["options"]),
    }
    client.post(PASSKEYS, body)

    assert is_refused(client.post(PASSKEYS, body))


@pytest.mark.parametrize(
    "key",
    [{}, {1: 2, 3: -9999}, {1: 2, 3: "a"}, {1: 2, 3: [1]}, {1: 2, 3: -7}, {1: 3, 3: -7}],
    ids=str,
)
def test_key_that_we_could_not_verify_with_is_refused(patient: User, key: dict) -> None:
    assert is_refused(registering(api_client(patient), Authenticator(said_key=key)))

    assert not Passkey.objects.exists()


def test_id_longer_than_the_standard_allows_is_refused(patient: User) -> None:
    longest, longer = (
        Authenticator(credential_id=b"a" * 1023),
        Authenticator(credential_id=b"b" * 1024),
    )

    assert registering(api_client(patient), longest).status_code == 201
    assert is_refused(registering(api_client(patient), longer))


def test_list_shows_ones_own(patient: User, stranger: User) -> None:
    passkey, _ = with_passkey(patient, name="Mine")
    with_passkey(stranger)

    rows = api_client(patient).get(PASSKEYS).json()

    assert [(row["id"], row["name"]) for row in rows] == [(str(passkey.pk), "Mine")]
    assert set(rows[0]) == {"id", "name", "created_at", "last_used_at"}


def test_renaming(patient: User, stranger: User) -> None:
    passkey, _ = with_passkey(patient)
    path = f"{PASSKEYS}/{passkey.pk}"

    mine = api_client(patient).patch(path, {"name": "Work laptop"})
    other = api_client(stranger).patch(path, {"name": "x"})

    assert (mine.json()["name"], other.status_code) == ("Work laptop", 404)


def test_removing(patient: User, stranger: User) -> None:
    passkey, authenticator = with_passkey(patient)
    path = f"{PASSKEYS}/{passkey.pk}"

    other = api_client(stranger).delete(path)
    mine = api_client(patient).delete(path)

    assert (other.status_code, mine.status_code) == (404, 204)
    assert not RecoveryCode.objects.exists()
    assert is_refused(signing_in(authenticator))


def test_administrator_keeps_the_last_one(admin: User) -> None:
    passkey, _ = with_passkey(admin)

    answer = api_client(admin).delete(f"{PASSKEYS}/{passkey.pk}")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "last_factor")
    assert Passkey.objects.exists()


# --- Instead of a password -------------------------------------------------------------------


def test_passkey_signs_in_without_a_password_and_counts_as_both_factors(admin: User) -> None:
    _, authenticator = with_passkey(admin)

    answer = signing_in(authenticator, device_name="Laptop")

    session = DeviceSession.objects.get()
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == str(admin.pk)
    assert (session.method, session.factor, session.device_name) == (
        "PASSKEY", "PASSKEY", "Laptop",
    )  # fmt: skip
    assert Passkey.objects.get().last_used_at is not None


def test_sign_in_names_nobody_beforehand(patient: User) -> None:
    with_passkey(patient)

    options = api_client().post(f"{SIGN_IN}/options").json()["options"]

    assert not options.get("allowCredentials")
    assert options["userVerification"] == "required"


def test_answer_is_good_once(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    asked = api_client().post(f"{SIGN_IN}/options").json()
    body = {
        "challenge_id": asked["challenge_id"],
        "credential": authenticator.get(asked["options"]),
    }
    first = api_client().post(SIGN_IN, body)

    again = api_client().post(SIGN_IN, body)

    assert first.status_code == 200
    assert is_refused(again)
    assert DeviceSession.objects.count() == 1


def test_old_answer_to_a_new_question_is_refused(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    old = authenticator.get(ask_to_sign_in().options)

    answer = api_client().post(
        SIGN_IN, {"challenge_id": str(ask_to_sign_in().challenge_id), "credential": old}
    )

    assert is_refused(answer)


def test_question_is_good_for_five_minutes(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    asked = ask_to_sign_in()
    body = {
        "challenge_id": str(asked.challenge_id),
        "credential": authenticator.get(asked.options),
    }

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=5, seconds=1)):
        answer = api_client().post(SIGN_IN, body)

    assert is_refused(answer)


@pytest.mark.parametrize(
    "change",
    [{"origin": "https://evil.example"}, {"verifies_user": False}, {"user_handle": b"x" * 16}],
    ids=str,
)
def test_answer_from_elsewhere_or_nobody_is_refused(patient: User, change: dict) -> None:
    _, authenticator = with_passkey(patient)
    for name, value in change.items():
        setattr(authenticator, name, value)

    assert is_refused(signing_in(authenticator))
    assert not DeviceSession.objects.exists()


def test_answer_signed_with_another_key_is_refused(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    forger = Authenticator(
        credential_id=authenticator.credential_id, user_handle=authenticator.user_handle
    )

    assert is_refused(signing_in(forger))


def test_key_that_nobody_added_is_refused(patient: User) -> None:
    assert is_refused(signing_in(Authenticator(user_handle=patient.pk.bytes)))


def test_origin_of_our_own_app_is_known(patient: User, settings) -> None:
    settings.PASSKEY_APP_ORIGINS = ["android:apk-key-hash:abc"]
    _, authenticator = with_passkey(patient)
    authenticator.origin = "android:apk-key-hash:abc"

    assert signing_in(authenticator).status_code == 200


def test_closed_account_stays_shut(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    User.objects.update(status=Status.SUSPENDED)

    assert signing_in(authenticator).json()["errors"][0]["code"] == "account_closed"


def test_counter_that_goes_back_is_refused_and_its_owner_told(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    signing_in(authenticator)
    authenticator.sign_count -= 1

    answer = signing_in(authenticator)

    assert is_refused(answer)
    assert Notification.objects.filter(recipient=patient, kind="PASSKEY_COPIED").count() == 1


def test_authenticator_without_a_counter_is_welcome(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    authenticator.counts = False

    assert [signing_in(authenticator).status_code for _ in range(2)] == [200, 200]


@pytest.mark.django_db(transaction=True)
def test_one_answer_sent_twice_at_once_is_accepted_once(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    authenticator.counts = False
    asked = ask_to_sign_in()
    credential = authenticator.get(asked.options)

    def attempt() -> User:
        return prove(
            challenge_id=asked.challenge_id,
            credential=credential,
            purpose=Purpose.SIGN_IN,
            user=None,
        )

    racers = race(attempt, attempt, gate=PasskeyChallenge)

    assert sorted(errors(racers)) == ["", "InvalidPasskey"]


@pytest.mark.django_db(transaction=True)
def test_reading_the_question_first_and_deleting_later_would_accept_it_twice() -> None:
    """What the count of the DELETE is for."""
    asked = ask_to_sign_in()

    def naive_take() -> bool:
        challenge = PasskeyChallenge.objects.filter(pk=asked.challenge_id).first()
        PasskeyChallenge.objects.filter(pk=asked.challenge_id).delete()
        return challenge is not None

    racers = race(naive_take, naive_take, gate=PasskeyChallenge)

    assert [racer.value for racer in racers] == [True, True]


# --- As a second factor ----------------------------------------------------------------------


def second_step(user: User) -> str:
    answer = api_client().post(LOGIN, {"email": user.email, "password": PASSWORD})
    return answer.json()["mfa_token"]


def test_passkey_is_a_second_factor(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    token = second_step(patient)
    asked = api_client().post(f"{SECOND}/options", {"mfa_token": token}).json()

    answer = api_client().post(
        SECOND,
        {
            "mfa_token": token,
            "challenge_id": asked["challenge_id"],
            "credential": authenticator.get(asked["options"]),
        },
    )

    session = DeviceSession.objects.get()
    assert answer.status_code == 200
    assert (session.method, session.factor) == ("PASSWORD", "PASSKEY")
    assert len(asked["options"]["allowCredentials"]) == 1


def test_passkey_of_somebody_else_is_not(patient: User, stranger: User) -> None:
    with_passkey(patient)
    _, other = with_passkey(stranger)
    token = second_step(patient)
    asked = api_client().post(f"{SECOND}/options", {"mfa_token": token}).json()

    answer = api_client().post(
        SECOND,
        {
            "mfa_token": token,
            "challenge_id": asked["challenge_id"],
            "credential": other.get(asked["options"]),
        },
    )

    assert is_refused(answer)
    assert not DeviceSession.objects.exists()


@pytest.mark.parametrize("asked_for", [Purpose.CONFIRM, Purpose.SIGN_IN])
def test_question_for_one_purpose_answers_no_other(patient: User, asked_for: Purpose) -> None:
    """Nor does one put to a known user sign in without a password."""
    _, authenticator = with_passkey(patient)
    asked = ask_of(patient, asked_for)

    answer = api_client().post(
        SIGN_IN,
        {
            "challenge_id": str(asked.challenge_id),
            "credential": authenticator.get(asked.options),
        },
    )

    assert is_refused(answer)


@pytest.mark.parametrize("path", [f"{SECOND}/options", SECOND])
@pytest.mark.parametrize("token", ["x", "a.b.c"])
def test_second_step_asks_for_its_token(patient: User, path: str, token: str) -> None:
    body = {"mfa_token": token}
    if path == SECOND:
        body |= {"challenge_id": str(patient.pk), "credential": {"id": "x"}}

    assert api_client().post(path, body).status_code == 401


def test_account_without_a_passkey_is_not_asked_for_one(patient: User) -> None:
    with_totp(patient)

    answer = api_client().post(f"{SECOND}/options", {"mfa_token": second_step(patient)})

    assert answer.json()["errors"][0]["code"] == "no_second_factor"


# --- What no authenticator sends -------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"id": "other"},
        {"rawId": 7},
        {"rawId": "é"},
        {"response": None},
        {"response": []},
        {"response": {}},
        {"response": {"clientDataJSON": "x", "authenticatorData": "x", "signature": "x"}},
        {"response": {"clientDataJSON": "W10", "authenticatorData": "", "signature": ""}},
        {"type": 7},
        {"clientExtensionResults": "x"},
    ],
    ids=str,
)
def test_malformed_answer_is_refused_and_the_question_stays(
    patient: User, change: dict[str, Any]
) -> None:
    _, authenticator = with_passkey(patient)
    asked = ask_to_sign_in()
    credential = authenticator.get(asked.options) | change

    answer = api_client().post(
        SIGN_IN, {"challenge_id": str(asked.challenge_id), "credential": credential}
    )

    assert answer.status_code in {200, 400}, answer.content
    assert answer.status_code == 400 or change in ({"type": 7}, {"clientExtensionResults": "x"})


def test_answer_in_a_frame_of_another_site_is_refused(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    asked = ask_to_sign_in()
    plain = authenticator._client_data

    def framed(kind: str, options: dict[str, Any]) -> bytes:
        return json.dumps(json.loads(plain(kind, options)) | {"crossOrigin": True}).encode()

    authenticator._client_data = framed

    with pytest.raises(InvalidPasskey):
        prove(
            challenge_id=asked.challenge_id,
            credential=authenticator.get(asked.options),
            purpose=Purpose.SIGN_IN,
            user=None,
        )


def test_what_lapsed_is_swept_away(patient: User) -> None:
    with_totp(patient)
    second_step(patient)
    ask_to_sign_in()
    with time_machine.travel(timezone.now() + dt.timedelta(hours=1)):
        ask_to_sign_in()

        delete_lapsed_sign_ins()

    assert PasskeyChallenge.objects.count() == 1
    assert not PendingSignIn.objects.exists()


# --- Pages -----------------------------------------------------------------------------------


def form_of(asked: dict[str, Any], credential: dict[str, Any], **more: str) -> dict[str, str]:
    return {"challenge_id": asked["challenge_id"], "credential": json.dumps(credential)} | more


def test_page_adds_a_passkey_and_shows_the_codes(patient: User) -> None:
    client = page_client(patient)
    assert client.get("/security/passkeys").status_code == 200
    asked = client.post("/security/passkeys/options").json()

    page = client.post(
        "/security/passkeys", form_of(asked, Authenticator().create(asked["options"]), name="Key")
    )

    assert page.status_code == 200
    assert len(page.context["codes"]) == RecoveryCode.NUMBER
    assert Passkey.objects.get().name == "Key"


def test_page_says_that_a_passkey_was_not_accepted(patient: User) -> None:
    client = page_client(patient)
    asked = client.post("/security/passkeys/options").json()
    foreign = Authenticator(origin="https://evil.example").create(asked["options"])

    page = client.post("/security/passkeys", form_of(asked, foreign, name="Key"))

    assert page.status_code == 400
    assert "was not accepted" in page.content.decode()


def test_login_page_takes_a_passkey(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    client = Client()
    assert "data-passkey" in client.get("/login").content.decode()
    asked = client.post("/login/passkey/options").json()

    answer = client.post(
        "/login/passkey",
        form_of(asked, authenticator.get(asked["options"]), next="/sessions"),
    )

    assert answer["Location"] == "/sessions"
    assert client.get("/sessions").status_code == 200


def test_login_page_says_that_a_passkey_was_not_accepted(patient: User) -> None:
    page = Client().post("/login/passkey", {"credential": "x"}, follow=True)

    assert "was not accepted" in page.content.decode()


def test_login_page_leads_to_no_other_site(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    client = Client()
    asked = client.post("/login/passkey/options").json()

    answer = client.post(
        "/login/passkey",
        form_of(asked, authenticator.get(asked["options"]), next="//evil.example/"),
    )

    assert answer["Location"] == "/"


def test_second_step_page_takes_a_passkey(patient: User) -> None:
    _, authenticator = with_passkey(patient)
    client = Client()
    client.post("/login", {"email": patient.email, "password": PASSWORD, "next": "/sessions"})
    asked = client.post("/login/second-factor/passkey/options").json()

    answer = client.post(
        "/login/second-factor/passkey", form_of(asked, authenticator.get(asked["options"]))
    )

    assert answer["Location"] == "/sessions"


def test_second_step_question_is_put_to_nobody_without_a_first_step() -> None:
    answer = Client().post("/login/second-factor/passkey/options")

    assert (answer.status_code, list(answer.json())) == (401, ["detail"])


def test_page_renames_and_removes(patient: User) -> None:
    passkey, _ = with_passkey(patient)
    client = page_client(patient)

    client.post(f"/security/passkeys/{passkey.pk}/rename", {"name": "Old phone"})
    renamed = Passkey.objects.get().name
    client.post(f"/security/passkeys/{passkey.pk}/remove")

    assert renamed == "Old phone"
    assert not Passkey.objects.exists()


def test_page_of_a_name_too_long_changes_nothing(patient: User) -> None:
    passkey, _ = with_passkey(patient)

    page = page_client(patient).post(
        f"/security/passkeys/{passkey.pk}/rename", {"name": "x" * 101}, follow=True
    )

    assert "at most 100" in page.content.decode()
    assert Passkey.objects.get().name == "Key"


@pytest.mark.parametrize("credential", ["[" * 3000, '{"a": ' + "[" * 3000, "[]", "1", "{", ""])
def test_page_refuses_what_no_authenticator_answers(patient: User, credential: str) -> None:
    browser = page_client(patient)
    asked = browser.post("/security/passkeys/options").json()

    answer = browser.post(
        "/security/passkeys",
        {"challenge_id": asked["challenge_id"], "credential": credential, "name": "Mine"},
    )

    assert answer.status_code == 400
    assert not Passkey.objects.exists()
