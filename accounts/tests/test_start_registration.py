"""Step 1: choose a role."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import Registration, User
from medisync.tests.client import api_client

pytestmark = pytest.mark.django_db
URL = "/api/v1/auth/register/init"


@pytest.mark.parametrize("role", ["PATIENT", "DOCTOR"])
def test_patients_and_doctors_may_register(role: str) -> None:
    answer = api_client().post(URL, {"role": role})

    assert answer.status_code == 201
    begun = Registration.objects.get(pk=answer.json()["registration_id"])
    assert (begun.role, begun.status) == (role, "INIT")


def test_nobody_registers_as_administrator() -> None:
    answer = api_client().post(URL, {"role": "ADMIN"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "role"
    assert not Registration.objects.exists()


def test_no_user_exists_yet() -> None:
    api_client().post(URL, {"role": "PATIENT"})

    assert not User.objects.exists()


def test_registration_lasts_a_day() -> None:
    answer = api_client().post(URL, {"role": "PATIENT"})

    begun = Registration.objects.get(pk=answer.json()["registration_id"])
    left = begun.expires_at - timezone.now()
    assert Registration.LASTS.total_seconds() - 60 < left.total_seconds() <= 24 * 3600


def test_language_is_that_of_the_request_unless_it_is_named() -> None:
    api_client().post(URL, {"role": "PATIENT"}, headers={"Accept-Language": "ar-EG"})
    api_client().post(URL, {"role": "PATIENT", "language": "en"}, headers={"Accept-Language": "ar"})

    assert set(Registration.objects.values_list("language", flat=True)) == {"ar", "en"}


def test_eleventh_start_in_a_minute_is_turned_away() -> None:
    client = api_client()

    statuses = [client.post(URL, {"role": "PATIENT"}).status_code for _ in range(11)]

    assert statuses == [201] * 10 + [429]


def test_turned_away_caller_learns_how_long_to_wait() -> None:
    client = api_client()
    for _ in range(10):
        client.post(URL, {"role": "PATIENT"})

    answer = client.post(URL, {"role": "PATIENT"})

    assert 1 <= int(answer["Retry-After"]) <= 60
    assert answer["Content-Type"] == "application/problem+json"
