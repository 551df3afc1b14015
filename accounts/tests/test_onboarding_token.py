"""The token of step 3 opens step 4, and nothing else."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Role, Status, User
from accounts.tests.factories import PatientFactory
from accounts.tests.registering import NATIONAL_ID, PASSWORD, PHONE, verified
from accounts.tokens import onboarding_token
from medisync.tests.client import api_client

pytestmark = pytest.mark.django_db
DETAILS = {"phone": PHONE, "national_id": NATIONAL_ID}


def onboarding_client(user: User):
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {onboarding_token(user)}")
    return client


def step_4(user: User) -> str:
    return f"/api/v1/users/{user.pk}/profile"


def test_it_opens_step_4() -> None:
    user = verified()

    answer = onboarding_client(user).patch(step_4(user), DETAILS)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/v1/users/profile"),
        ("get", "/api/v1/auth/sessions"),
        ("post", "/api/v1/auth/logout"),
        ("get", "/api/v1/notifications"),
        ("get", "/api/v1/requests/connections"),
        ("get", "/api/v1/prescriptions/my-prescriptions"),
        ("post", "/api/v1/qr/generate"),
    ],
)
def test_it_opens_nothing_else(method: str, path: str) -> None:
    client = onboarding_client(verified())

    answer = getattr(client, method)(path)

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "token_not_valid"


def test_it_does_not_refresh() -> None:
    answer = api_client().post(
        "/api/v1/auth/refresh", {"refresh_token": onboarding_token(verified())}
    )

    assert answer.status_code == 401


def test_it_does_not_complete_somebody_elses_profile() -> None:
    mine, yours = verified(), verified(email="second@example.org")

    answer = onboarding_client(mine).patch(step_4(yours), DETAILS)

    assert answer.status_code == 403
    yours.refresh_from_db()
    assert yours.status == Status.EMAIL_VERIFIED


def test_it_completes_once() -> None:
    user = verified()
    client = onboarding_client(user)
    client.patch(step_4(user), DETAILS)

    again = client.patch(step_4(user), DETAILS)

    assert again.status_code == 409
    assert again.json()["errors"][0]["code"] == "profile_already_complete"


def test_it_expires_after_a_day() -> None:
    user = verified()
    client = onboarding_client(user)

    with time_machine.travel(timezone.now() + dt.timedelta(hours=24, seconds=1)):
        answer = client.patch(step_4(user), DETAILS)

    assert answer.status_code == 401


def test_an_access_token_does_not_open_step_4() -> None:
    user = PatientFactory(status=Status.EMAIL_VERIFIED, profile=None)

    answer = api_client(user).patch(step_4(user), DETAILS)

    assert answer.status_code == 401


def test_suspended_applicant_cannot_go_on() -> None:
    user = verified()
    client = onboarding_client(user)
    User.objects.update(status=Status.SUSPENDED)

    answer = client.patch(step_4(user), DETAILS)

    assert answer.status_code == 401


def test_signing_in_without_a_profile_gives_the_token_again() -> None:
    user = verified()

    answer = (
        api_client().post("/api/v1/auth/login", {"email": user.email, "password": PASSWORD}).json()
    )

    assert answer["onboarding_required"] is True
    assert "access_token" not in answer
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer['onboarding_token']}")
    assert client.patch(step_4(user), DETAILS).status_code == 200


def test_json_cannot_stand_for_documents() -> None:
    user = verified(role=Role.DOCTOR)

    answer = onboarding_client(user).patch(
        step_4(user),
        {
            "phone": PHONE,
            "specialization_id": str(user.pk),
            "licence_number": "EG-1",
            "licence_document": "licence.png",
            "national_id_document": {"name": "id.png"},
        },
    )

    assert answer.status_code == 400
    assert {error["attr"] for error in answer.json()["errors"]} == {
        "licence_document",
        "national_id_document",
    }


def test_it_ends_with_the_password() -> None:
    user = verified()
    client = onboarding_client(user)
    user.set_password("another quite long sentence")
    user.save()

    answer = client.patch(step_4(user), DETAILS)

    assert answer.status_code == 401
    assert onboarding_client(user).patch(step_4(user), DETAILS).status_code == 200


def test_it_opens_step_4_for_whoever_came_with_google_and_has_no_password() -> None:
    user = verified()
    user.set_unusable_password()
    user.save()

    assert onboarding_client(user).patch(step_4(user), DETAILS).status_code == 200
