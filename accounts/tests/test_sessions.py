"""Where one is signed in: listing, ending, signing out."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import DeviceSession, User
from accounts.tests.factories import PASSWORD
from common.ids import uuid7
from medisync.tests.client import api_client, page_client, sign_in

pytestmark = pytest.mark.django_db
SESSIONS = "/api/v1/auth/sessions"
PROFILE = "/api/v1/users/profile"


def test_list_shows_ones_own_devices_and_marks_this_one(patient: User, stranger: User) -> None:
    client = api_client(patient)
    other = sign_in(patient)
    sign_in(stranger)

    rows = client.get(SESSIONS).json()

    assert len(rows) == 2
    assert [row["is_current"] for row in rows if row["id"] == str(other.pk)] == [False]
    assert sorted(row["is_current"] for row in rows) == [False, True]


def test_list_leaves_out_ended_and_expired_sessions(patient: User) -> None:
    now = timezone.now()
    DeviceSession.objects.filter(pk=sign_in(patient).pk).update(revoked_at=now)
    DeviceSession.objects.filter(pk=sign_in(patient).pk).update(expires_at=now)

    rows = api_client(patient).get(SESSIONS).json()

    assert len(rows) == 1


def test_list_gives_no_token_away(patient: User) -> None:
    session = sign_in(patient)

    text = api_client(patient).get(SESSIONS).content.decode()

    assert str(session.refresh_id) not in text


def test_ended_device_is_signed_out_at_once(patient: User) -> None:
    here, there = api_client(patient), api_client(patient)
    there_id = next(row["id"] for row in there.get(SESSIONS).json() if row["is_current"])

    answer = here.delete(f"{SESSIONS}/{there_id}")

    assert answer.status_code == 204
    assert there.get(PROFILE).status_code == 401
    assert here.get(PROFILE).status_code == 200


def test_ended_browser_is_signed_out_at_once(patient: User) -> None:
    browser = page_client(patient)
    session = DeviceSession.objects.get()

    api_client(patient).delete(f"{SESSIONS}/{session.pk}")

    answer = browser.get("/api/docs")
    assert answer.wsgi_request.user.is_anonymous


def test_session_of_somebody_else_is_not_there(patient: User, stranger: User) -> None:
    theirs = sign_in(stranger)

    answer = api_client(patient).delete(f"{SESSIONS}/{theirs.pk}")

    assert answer.status_code == 404
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


def test_session_ends_once(patient: User) -> None:
    client = api_client(patient)
    other = sign_in(patient)
    client.delete(f"{SESSIONS}/{other.pk}")

    assert client.delete(f"{SESSIONS}/{other.pk}").status_code == 404


@pytest.mark.parametrize("session_id", ["x", "1", "%00", "../profile"])
def test_malformed_id_is_not_found(patient: User, session_id: str) -> None:
    answer = api_client(patient).delete(f"{SESSIONS}/{session_id}")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_unknown_id_is_not_found(patient: User) -> None:
    assert api_client(patient).delete(f"{SESSIONS}/{uuid7()}").status_code == 404


def test_signing_out_ends_this_session_only(patient: User) -> None:
    here, there = api_client(patient), api_client(patient)

    answer = here.post("/api/v1/auth/logout")

    assert answer.status_code == 204
    assert answer.content == b""
    assert here.get(PROFILE).status_code == 401
    assert there.get(PROFILE).status_code == 200


def test_pair_of_a_signed_out_session_is_void(patient: User) -> None:
    client = api_client()
    pair = client.post("/api/v1/auth/login", {"email": patient.email, "password": PASSWORD}).json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access_token']}")
    client.post("/api/v1/auth/logout")

    answer = api_client().post("/api/v1/auth/refresh", {"refresh_token": pair["refresh_token"]})

    assert answer.status_code == 401


def test_list_asks_a_fixed_number_of_questions(patient: User, django_assert_num_queries) -> None:
    client = api_client(patient)
    with django_assert_num_queries(2):
        client.get(SESSIONS)
    for _ in range(4):
        sign_in(patient)

    with django_assert_num_queries(2):
        rows = client.get(SESSIONS).json()

    assert len(rows) == 5
