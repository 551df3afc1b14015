"""A new password for whoever knows the old one."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import DeviceSession, Status, User
from accounts.services.passwords import (
    OLD_PASSWORD_TRIES,
    WrongPassword,
    change_password,
)
from accounts.tests.factories import PASSWORD, DoctorFactory
from common.throttling import TooManyRequests
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import EmailDelivery

pytestmark = pytest.mark.django_db
URL = "/api/v1/auth/change-password"
PAGE = "/password/change"
NEW = "a quite long sentence"
BODY = {"old_password": PASSWORD, "new_password": NEW}


def reloaded(session: DeviceSession) -> DeviceSession:
    """The session and its user as a request finds them."""
    return DeviceSession.objects.select_related("user").get(pk=session.pk)


def test_old_password_is_traded_for_the_new_one(patient: User) -> None:
    answer = api_client(patient).post(URL, BODY)

    assert (answer.status_code, answer.content) == (204, b"")
    patient.refresh_from_db()
    assert patient.check_password(NEW)


def test_every_other_session_ends_and_this_one_stays(patient: User) -> None:
    mine, other = api_client(patient), api_client(patient)

    mine.post(URL, BODY)

    assert mine.get("/api/v1/users/profile").status_code == 200
    assert other.get("/api/v1/users/profile").status_code == 401


def test_owner_is_told(patient: User) -> None:
    api_client(patient).post(URL, BODY)

    assert EmailDelivery.objects.get().kind == "PASSWORD_CHANGED"


def test_wrong_old_password_is_refused(patient: User) -> None:
    answer = api_client(patient).post(URL, BODY | {"old_password": "wrong"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "old_password"
    patient.refresh_from_db()
    assert patient.check_password(PASSWORD)


def test_guesses_at_the_old_password_are_counted_across_sessions(patient: User) -> None:
    for _ in range(OLD_PASSWORD_TRIES):
        with pytest.raises(WrongPassword):
            change_password(session=sign_in(patient), old_password="wrong", new_password=NEW)

    with pytest.raises(TooManyRequests):
        change_password(session=sign_in(patient), old_password=PASSWORD, new_password=NEW)


def test_right_old_password_with_a_weak_new_one_costs_no_try(patient: User) -> None:
    client = api_client(patient)

    weak = client.post(URL, BODY | {"new_password": "1234567890123"})
    right = client.post(URL, BODY)

    assert (weak.status_code, weak.json()["errors"][0]["attr"]) == (400, "new_password")
    assert right.status_code == 204


@pytest.mark.parametrize("status", [Status.PENDING_APPROVAL, Status.RETURNED, Status.REJECTED])
def test_applicants_may_change_theirs(status: Status) -> None:
    answer = api_client(DoctorFactory(status=status)).post(URL, BODY)

    assert answer.status_code == 204


def test_account_without_a_password_is_shown_the_way_to_a_first_one(patient: User) -> None:
    patient.set_unusable_password()
    patient.save()

    answer = api_client(patient).post(URL, BODY)
    page = page_client(patient).get(PAGE)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (409, "no_password")
    assert "Forgot your password?" in error["detail"]
    assert 'href="/password/forgot"' in page.content.decode()
    assert "old_password" not in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_the_second_has_a_wrong_old_password(patient: User) -> None:
    first, second = sign_in(patient), sign_in(patient)

    racers = race(
        lambda: change_password(session=reloaded(first), **BODY),
        lambda: change_password(session=reloaded(second), **BODY),
        gate=User,
    )

    assert sorted(errors(racers)) == ["", "WrongPassword"]
    assert DeviceSession.objects.live(timezone.now()).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_row_lock_both_would_change_it(patient: User) -> None:
    first, second = sign_in(patient), sign_in(patient)

    racers = race(
        lambda: change_password(session=reloaded(first), **BODY),
        lambda: change_password(session=reloaded(second), **BODY),
        gate=User,
    )

    assert errors(racers) == ["", ""]


def test_page_changes_it_and_says_so(patient: User) -> None:
    client = page_client(patient)

    wrong = client.post(PAGE, BODY | {"old_password": "wrong"})
    done = client.post(PAGE, BODY, follow=True)

    assert wrong.status_code == 400
    assert done.redirect_chain == [("/security", 302)]
    assert "Your password is changed" in done.content.decode()


def test_sixth_try_in_a_minute_is_turned_away_at_either_door(patient: User) -> None:
    app, browser = api_client(patient), page_client(patient)
    for _ in range(3):
        app.post(URL, {"old_password": PASSWORD, "new_password": "x"})
    for _ in range(2):
        browser.post(PAGE, {"old_password": PASSWORD, "new_password": "x"})

    assert (app.post(URL, BODY).status_code, browser.post(PAGE, BODY).status_code) == (429, 429)
