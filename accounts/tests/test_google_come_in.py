"""Where a proven Google identity leads: in, to a link, to a new account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import oidc
from accounts.models import (
    DeviceSession,
    ExternalIdentity,
    PendingSignIn,
    Registration,
    SpentIdToken,
    Status,
    StatusChange,
    User,
)
from accounts.services import google as service
from accounts.services.registration import verify_email
from accounts.services.sessions import Device
from accounts.tests.factories import PASSWORD, AdminFactory, PatientFactory
from accounts.tests.factors import code_of as code_of_app
from accounts.tests.factors import with_totp
from accounts.tests.provider import LAYLA, LyingProvider, come_back
from accounts.tests.registering import NATIONAL_ID, PHONE, code_of, registering
from medisync.tests.client import api_client
from medisync.tests.races import Racer, errors, race
from notifications.models import Notification

pytestmark = pytest.mark.django_db
URL = "/api/v1/auth/google"
DEVICE = Device(ip_address="127.0.0.1")


def send(id_token: str, **fields: Any) -> Any:
    return api_client().post(URL, {"id_token": id_token} | fields)


def code_in(answer: Any) -> str:
    return answer.json()["errors"][0]["code"]


def identity(liar: LyingProvider, **changes: Any) -> oidc.Identity:
    return oidc.identity_from_app(liar.token(**changes), nonce="")


def newcomer(role: str = "PATIENT") -> service.Newcomer:
    return service.Newcomer(role=role, language="en")


def test_newcomer_is_asked_for_a_role_and_goes_on_with_step_four(liar: LyingProvider) -> None:
    token = liar.token()

    asked = send(token)
    answer = send(token, role="PATIENT")

    assert (asked.status_code, code_in(asked)) == (409, "role_required")
    assert answer.json()["onboarding_required"] is True
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['onboarding_token']}")
    profile = {"phone": PHONE, "national_id": NATIONAL_ID}
    done = client.patch(f"/api/v1/users/{answer.json()['user_id']}/profile", profile)
    assert done.json()["status"] == "ACTIVE"
    assert send(liar.token(iat=liar.claims()["iat"] - 1)).json()["user"]["email"] == LAYLA["email"]


def test_new_account_is_as_registration_makes_it(liar: LyingProvider) -> None:
    send(liar.token(), role="DOCTOR")

    user = User.objects.get()
    assert (user.email, user.role, user.status) == ("layla@example.org", "DOCTOR", "EMAIL_VERIFIED")
    assert (user.first_name, user.last_name) == ("Layla", "Hassan")
    assert not user.has_usable_password()
    assert StatusChange.objects.get().to_status == Status.EMAIL_VERIFIED
    started = Registration.objects.get()
    status = api_client().get(f"/api/v1/users/registration-status?registration_id={started.pk}")
    assert status.json()["next_step"] == "PROFILE"
    assert not Notification.objects.exists()
    assert not DeviceSession.objects.exists()


@pytest.mark.parametrize(
    ("claims", "first", "last"),
    [
        (
            {"given_name": None, "family_name": None, "name": "Layla Al Hassan"},
            "Layla",
            "Al Hassan",
        ),
        ({"family_name": None}, "Layla", "–"),
        ({"given_name": None, "family_name": None}, "layla", "–"),
        ({"given_name": "x" * 200}, "x" * 80, "Hassan"),
        ({"given_name": " La\x00y\u202ela \n"}, "La y la", "Hassan"),
        ({"given_name": ["Layla"], "family_name": 7, "name": {}}, "layla", "–"),
        ({"given_name": "ليلى", "family_name": "حسن"}, "ليلى", "حسن"),
    ],
    ids=str,
)
def test_names_are_what_can_be_made_of_the_claims(
    liar: LyingProvider, claims: dict[str, Any], first: str, last: str
) -> None:
    send(liar.token(**claims), role="PATIENT")

    user = User.objects.get()
    assert (user.first_name, user.last_name) == (first, last)


def test_nobody_becomes_an_administrator(liar: LyingProvider) -> None:
    assert send(liar.token(), role="ADMIN").status_code == 400
    with pytest.raises(service.AlreadyRegistered):
        service.come_in(identity=identity(liar), device=DEVICE, newcomer=newcomer("ADMIN"))

    assert not User.objects.exists()


def test_address_with_an_account_asks_for_its_password(liar: LyingProvider) -> None:
    user = PatientFactory(email="layla@example.org")
    token = liar.token(email="Layla@Example.org")

    asked, as_new = send(token), send(token, role="PATIENT")
    answer = send(token, password=PASSWORD)

    assert [code_in(asked), code_in(as_new)] == ["link_requires_password"] * 2
    assert answer.json()["user"]["id"] == str(user.pk)
    assert ExternalIdentity.objects.get().user == user
    assert [row.kind for row in Notification.objects.all()] == ["IDENTITY_LINKED"]


def test_wrong_password_links_nothing_and_is_counted(liar: LyingProvider) -> None:
    PatientFactory(email="layla@example.org")
    token = liar.token()

    answers = [send(token, password="wrong") for _ in range(7)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    assert send(token, password=PASSWORD).status_code == 429
    assert not ExternalIdentity.objects.exists()


def test_closed_account_is_refused_even_with_its_password(liar: LyingProvider) -> None:
    PatientFactory(email="layla@example.org", status=Status.INACTIVE)

    answer = send(liar.token(), password=PASSWORD)

    assert (answer.status_code, code_in(answer)) == (403, "account_closed")
    assert not ExternalIdentity.objects.exists()


def test_administrator_may_link_and_still_shows_a_second_factor(liar: LyingProvider) -> None:
    admin = AdminFactory(email="layla@example.org")

    assert send(liar.token(), password=PASSWORD).status_code == 200

    assert DeviceSession.objects.get(user=admin).factor == ""


def test_password_alone_links_nothing_to_an_account_with_a_second_factor(
    liar: LyingProvider,
) -> None:
    """Whoever knows a password would keep a way in that outlives it."""
    user = PatientFactory(email="layla@example.org")
    totp, _codes = with_totp(user)
    token = liar.token()

    begun = send(token, password=PASSWORD).json()

    assert begun["mfa_required"] is True
    assert not ExternalIdentity.objects.exists()
    assert not Notification.objects.filter(kind="IDENTITY_LINKED").exists()
    shown = {"mfa_token": begun["mfa_token"], "code": code_of_app(totp)}
    assert api_client().post("/api/v1/auth/mfa/verify", shown).status_code == 200
    assert ExternalIdentity.objects.get().user == user
    assert Notification.objects.filter(kind="IDENTITY_LINKED", recipient=user).exists()
    assert send(token, password=PASSWORD).status_code == 401


def test_second_factor_is_not_asked_for_what_cannot_be_linked(liar: LyingProvider) -> None:
    user = PatientFactory(email="layla@example.org")
    with_totp(user)
    ExternalIdentity.objects.create(user=user, issuer=liar.issuer, subject="an older one")

    answer = send(liar.token(), password=PASSWORD)

    assert (answer.status_code, code_in(answer)) == (409, "already_linked")
    assert not PendingSignIn.objects.exists()


def test_what_was_linked_meanwhile_is_not_linked_twice(liar: LyingProvider) -> None:
    user, other = PatientFactory(email="layla@example.org"), PatientFactory()
    totp, _codes = with_totp(user)
    begun = send(liar.token(), password=PASSWORD).json()
    ExternalIdentity.objects.create(user=other, issuer=liar.issuer, subject="1001")

    shown = {"mfa_token": begun["mfa_token"], "code": code_of_app(totp)}
    answer = api_client().post("/api/v1/auth/mfa/verify", shown)

    assert (answer.status_code, code_in(answer)) == (409, "already_linked")
    assert ExternalIdentity.objects.get().user == other
    assert not DeviceSession.objects.filter(user=user).exists()


def test_account_has_one_google_account(liar: LyingProvider) -> None:
    user = PatientFactory(email="layla@example.org")
    ExternalIdentity.objects.create(user=user, issuer=liar.issuer, subject="an older one")

    answer = send(liar.token(), password=PASSWORD)

    assert (answer.status_code, code_in(answer)) == (409, "already_linked")
    assert not SpentIdToken.objects.exists()


def test_linked_account_stays_linked_when_its_address_changes(liar: LyingProvider) -> None:
    user = PatientFactory(email="here@example.org")
    stranger = PatientFactory(email="layla@example.org")
    ExternalIdentity.objects.create(user=user, issuer=liar.issuer, subject="1001")

    answer = send(liar.token())

    assert answer.json()["user"]["id"] == str(user.pk) != str(stranger.pk)


def test_identity_kept_too_long_leads_nowhere(liar: LyingProvider) -> None:
    proven = identity(liar)

    later = time_machine.travel(timezone.now() + dt.timedelta(minutes=11))
    with later, pytest.raises(oidc.InvalidIdToken):
        service.come_in(identity=proven, device=DEVICE, newcomer=newcomer())

    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_first_sign_ins_at_once_make_one_account(liar: LyingProvider) -> None:
    first, second = identity(liar), identity(liar, exp=liar.claims()["exp"] - 1)

    racers = race(
        lambda: service.come_in(identity=first, device=DEVICE, newcomer=newcomer()),
        lambda: service.come_in(identity=second, device=DEVICE, newcomer=newcomer()),
        gate=User,
    )

    assert sorted(errors(racers)) == ["", "AlreadyRegistered"]
    assert User.objects.count() == ExternalIdentity.objects.count() == 1


def race_with_two_addresses(liar: LyingProvider) -> list[Racer]:
    """One Google account whose address changed between two tokens: what keeps addresses apart
    has no say."""
    first, second = identity(liar), identity(liar, email="moved@example.org")
    return race(
        lambda: service.come_in(identity=first, device=DEVICE, newcomer=newcomer()),
        lambda: service.come_in(identity=second, device=DEVICE, newcomer=newcomer()),
        gate=User,
    )


@pytest.mark.django_db(transaction=True)
def test_one_google_account_with_two_addresses_at_once_makes_one_account(
    liar: LyingProvider,
) -> None:
    racers = race_with_two_addresses(liar)

    assert sorted(errors(racers)) == ["", "AlreadyRegistered"]
    assert User.objects.count() == ExternalIdentity.objects.count() == 1


@pytest.fixture
def no_identity_constraint() -> Iterator[None]:
    constraint = next(
        one for one in ExternalIdentity._meta.constraints if one.name == "external_identity_unique"
    )
    with connection.schema_editor() as editor:
        editor.remove_constraint(ExternalIdentity, constraint)
    yield
    ExternalIdentity.objects.all().delete()
    with connection.schema_editor() as editor:
        editor.add_constraint(ExternalIdentity, constraint)


@pytest.mark.django_db(transaction=True)
def test_without_the_constraint_it_would_make_two(
    liar: LyingProvider, no_identity_constraint: None
) -> None:
    racers = race_with_two_addresses(liar)

    assert errors(racers) == ["", ""]
    assert User.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_google_and_a_code_at_once_make_one_account(liar: LyingProvider) -> None:
    registration = registering(email="layla@example.org")
    code, proven = code_of(registration), identity(liar)

    racers = race(
        lambda: service.come_in(identity=proven, device=DEVICE, newcomer=newcomer()),
        lambda: verify_email(registration_id=registration.pk, code=code),
        gate=User,
    )

    assert sorted(errors(racers)) == ["", "AlreadyRegistered"]
    assert User.objects.count() == 1


def test_new_person_registers_page_by_page(google: str) -> None:
    browser = Client()

    asked = come_back(browser)
    page = browser.get(asked["Location"])
    refused = browser.post("/login/google/role", {"role": "ADMIN"})
    answer = browser.post(
        "/login/google/role", {"role": "PATIENT", "first_name": "Laila", "last_name": "Hassan"}
    )

    assert asked["Location"] == "/login/google/role"
    assert 'value="Layla"' in page.content.decode()
    assert refused.status_code == 400
    assert (answer.status_code, answer["Location"]) == (302, "/register/profile")
    assert browser.get("/register/profile").status_code == 200
    assert User.objects.get().first_name == "Laila"
    assert browser.get("/login/google/role")["Location"] == "/login"


def test_existing_person_links_page_by_page(google: str) -> None:
    user = PatientFactory(email="layla@example.org")
    browser = Client()

    asked = come_back(browser, start="/login/google?next=/sessions")
    wrong = browser.post("/login/google/link", {"password": "wrong"})
    assert not ExternalIdentity.objects.exists()
    answer = browser.post("/login/google/link", {"password": PASSWORD})

    assert asked["Location"] == "/login/google/link"
    assert wrong.status_code == 401
    assert answer["Location"] == "/sessions"
    assert ExternalIdentity.objects.get().user == user
    assert browser.get("/sessions").status_code == 200


def test_steps_are_for_whom_google_has_just_vouched_for(google: str) -> None:
    browser = Client()
    come_back(browser)

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=11)):
        late = browser.get("/login/google/role")

    assert late["Location"] == "/login"
    for path in ("/login/google/link", "/login/google/role"):
        assert Client().get(path)["Location"] == "/login"
        assert Client().post(path, {})["Location"] == "/login"
