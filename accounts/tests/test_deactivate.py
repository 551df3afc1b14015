"""Closing an account and opening it again."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

import pytest
import time_machine
from django.http import Http404
from django.utils import timezone

from accounts.models import DeviceSession, Status, StatusChange, User
from accounts.policies import AccountNotActive, ConfirmationNeeded, SecondFactorNeeded
from accounts.services.statuses import enter_status
from accounts.services.users import (
    AccountIsClosed,
    AccountIsGone,
    AccountIsOpen,
    ClosedByYou,
    OwnAccount,
    activate_user,
    deactivate_user,
    suspend_user,
)
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from common.errors import InvalidInput, NotAllowed
from common.ids import uuid7
from medisync.tests.client import api_client, sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import EmailDelivery, Notification
from notifications.wording import Kind

pytestmark = pytest.mark.django_db
ACTS = [activate_user, deactivate_user, suspend_user]


@pytest.fixture
def session(admin: User) -> DeviceSession:
    return sign_in(admin)


def closed(user: User, admin: User, status: Status = Status.INACTIVE) -> User:
    return enter_status(user, status, actor=admin, reason="Asked for it.")


def test_deactivated_account_is_closed_and_signed_out(
    session: DeviceSession, patient: User
) -> None:
    client = api_client(patient)

    deactivate_user(session=session, user_id=patient.pk, reason=" Moved abroad. ")

    patient.refresh_from_db()
    assert patient.status == Status.INACTIVE
    assert client.get("/api/v1/users/profile").status_code == 401


def test_who_when_and_why_is_on_record(session: DeviceSession, patient: User) -> None:
    deactivate_user(session=session, user_id=patient.pk, reason=" Moved abroad. ")

    change = StatusChange.objects.get(user=patient)
    assert (change.from_status, change.to_status) == (Status.ACTIVE, Status.INACTIVE)
    assert (change.changed_by, change.reason) == (session.user, "Moved abroad.")


def test_person_is_told_without_the_reason(session: DeviceSession, patient: User) -> None:
    deactivate_user(session=session, user_id=patient.pk, reason="Moved abroad.")
    activate_user(session=session, user_id=patient.pk, reason="Came back.")

    told = Notification.objects.filter(recipient=patient).order_by("pk")
    assert [one.kind for one in told] == [Kind.ACCOUNT_CLOSED, Kind.ACCOUNT_REOPENED]
    assert [one.context for one in told] == [{}, {}]
    assert EmailDelivery.objects.filter(to_address=patient.email).count() == 2


@pytest.mark.parametrize(
    "status", [Status.ACTIVE, Status.PENDING_APPROVAL, Status.RETURNED, Status.REJECTED]
)
@pytest.mark.parametrize("close", [deactivate_user, suspend_user])
def test_account_opens_again_in_the_status_it_had(
    session: DeviceSession, status: Status, close: Any
) -> None:
    doctor = DoctorFactory(status=status)
    close(session=session, user_id=doctor.pk, reason="A question came up.")

    user = activate_user(session=session, user_id=doctor.pk, reason="It is answered.")

    assert user.status == status


def test_account_closed_twice_goes_back_to_before_the_second_time(
    session: DeviceSession, admin: User
) -> None:
    doctor = DoctorFactory(status=Status.PENDING_APPROVAL)
    closed(doctor, admin)
    activate_user(session=session, user_id=doctor.pk, reason="Back.")
    doctor.refresh_from_db()
    enter_status(doctor, Status.ACTIVE, actor=admin)
    closed(doctor, admin)

    assert activate_user(session=session, user_id=doctor.pk, reason="Back.").status == "ACTIVE"


@pytest.mark.parametrize("close", [deactivate_user, suspend_user])
@pytest.mark.parametrize("status", [Status.INACTIVE, Status.SUSPENDED, Status.ANONYMISED])
def test_closed_account_is_not_closed_again(
    session: DeviceSession, admin: User, patient: User, status: Status, close: Any
) -> None:
    closed(patient, admin, status)

    with pytest.raises(AccountIsClosed):
        close(session=session, user_id=patient.pk, reason="Again.")


@pytest.mark.parametrize(
    "status", [Status.ACTIVE, Status.EMAIL_VERIFIED, Status.PENDING_APPROVAL, Status.REJECTED]
)
def test_open_account_is_not_opened(session: DeviceSession, status: Status) -> None:
    user = DoctorFactory(status=status)

    with pytest.raises(AccountIsOpen):
        activate_user(session=session, user_id=user.pk, reason="Approved by the back door.")


def test_anonymised_account_stays_closed(
    session: DeviceSession, admin: User, patient: User
) -> None:
    closed(patient, admin, Status.ANONYMISED)

    with pytest.raises(AccountIsGone):
        activate_user(session=session, user_id=patient.pk, reason="Regret.")


def test_account_that_nothing_is_recorded_of_stays_closed(session: DeviceSession) -> None:
    """It might be a doctor whom nobody approved."""
    doctor = DoctorFactory(status=Status.SUSPENDED)

    with pytest.raises(AccountIsOpen):
        activate_user(session=session, user_id=doctor.pk, reason="Back.")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("reason", ["", "  ", "a\x00b", "x" * 2001])
def test_reason_is_needed(
    session: DeviceSession, admin: User, patient: User, act: Any, reason: str
) -> None:
    if act is activate_user:
        closed(patient, admin)

    with pytest.raises(InvalidInput) as refused:
        act(session=session, user_id=patient.pk, reason=reason)

    assert refused.value.attr == "reason"


@pytest.mark.parametrize("act", ACTS)
def test_nobody_acts_on_their_own_account(session: DeviceSession, act: Any) -> None:
    with pytest.raises(OwnAccount):
        act(session=session, user_id=session.user_id, reason="A test.")


@pytest.mark.parametrize("act", ACTS)
def test_unknown_account_is_not_found(session: DeviceSession, act: Any) -> None:
    with pytest.raises(Http404):
        act(session=session, user_id=uuid7(), reason="A test.")


@pytest.mark.parametrize("act", ACTS)
def test_administrators_alone_may(patient: User, doctor: User, act: Any) -> None:
    with pytest.raises(NotAllowed):
        act(session=sign_in(doctor), user_id=patient.pk, reason="A test.")


@pytest.mark.parametrize("act", ACTS)
def test_second_factor_is_needed(admin: User, patient: User, act: Any) -> None:
    with pytest.raises(SecondFactorNeeded):
        act(session=sign_in(admin, factor=""), user_id=patient.pk, reason="A test.")


@pytest.mark.parametrize("act", ACTS)
def test_administrator_has_just_shown_that_it_is_them(
    session: DeviceSession, patient: User, act: Any
) -> None:
    later = timezone.now() + DeviceSession.CONFIRMATION_LASTS

    with time_machine.travel(later), pytest.raises(ConfirmationNeeded):
        act(session=session, user_id=patient.pk, reason="A test.")


def test_administrator_closed_a_moment_ago_closes_nobody(
    session: DeviceSession, patient: User
) -> None:
    User.objects.filter(pk=session.user_id).update(status=Status.INACTIVE)

    with pytest.raises(AccountNotActive):
        deactivate_user(session=session, user_id=patient.pk, reason="Revenge.")


def close_each_other() -> tuple[list[str], int]:
    """Two administrators, the last two, close each other's account at once."""
    one, two = sign_in(AdminFactory()), sign_in(AdminFactory())

    racers = race(
        partial(deactivate_user, session=one, user_id=two.user_id, reason="I was first."),
        partial(deactivate_user, session=two, user_id=one.user_id, reason="No, I was."),
        gate=StatusChange,
    )

    return errors(racers), User.objects.active().filter(role="ADMIN").count()


@pytest.mark.django_db(transaction=True)
def test_last_two_administrators_cannot_close_each_other() -> None:
    assert close_each_other() == (["", "AccountNotActive"], 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_locks_nobody_would_be_left() -> None:
    assert close_each_other() == (["", ""], 0)


# --- The same over the API -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "status"), [("deactivate", Status.INACTIVE), ("suspend", Status.SUSPENDED)]
)
def test_api_closes_and_opens_again(admin: User, patient: User, act: str, status: Status) -> None:
    client = api_client(admin)

    shut = client.put(f"/api/v1/users/{patient.pk}/{act}", {"reason": "Left."})
    opened = client.put(f"/api/v1/users/{patient.pk}/activate", {"reason": "Back."})

    assert (shut.status_code, shut.data["status"], shut.data["session_count"]) == (200, status, 0)
    assert (opened.status_code, opened.data["status"]) == (200, Status.ACTIVE)


def test_api_refuses_in_its_one_shape(admin: User, patient: User) -> None:
    client = api_client(admin)
    users = "/api/v1/users"
    answers = [
        client.put(f"{users}/{patient.pk}/activate", {"reason": "Open."}),
        client.put(f"{users}/{admin.pk}/deactivate", {"reason": "Tired."}),
        client.put(f"{users}/{patient.pk}/deactivate", {}),
        client.put(f"{users}/{patient.pk}/deactivate", {"reason": "x", "status": "ACTIVE"}),
        client.put(f"{users}/{uuid7()}/deactivate", {"reason": "Left."}),
    ]

    found = [(answer.status_code, answer.data["errors"][0]["code"]) for answer in answers]

    assert found == [
        (409, "account_is_open"),
        (403, "own_account"),
        (400, "required"),
        (400, "unknown_field"),
        (404, "not_found"),
    ]


def test_api_asks_who_it_is_before_anything_dangerous(admin: User) -> None:
    client, patient = api_client(admin), PatientFactory()
    DeviceSession.objects.update(confirmed_at=timezone.now() - dt.timedelta(minutes=11))

    answer = client.put(f"/api/v1/users/{patient.pk}/deactivate", {"reason": "Left."})

    assert answer.status_code == 403
    assert answer.data["errors"][0]["code"] == "confirmation_required"


def test_administrator_is_not_opened_by_whoever_closed_them(session: DeviceSession) -> None:
    closed_admin, third = AdminFactory(), AdminFactory()
    suspend_user(session=session, user_id=closed_admin.pk, reason="A question came up.")

    with pytest.raises(ClosedByYou):
        activate_user(session=session, user_id=closed_admin.pk, reason="It is answered.")

    opened = activate_user(session=sign_in(third), user_id=closed_admin.pk, reason="Answered.")
    assert opened.status == Status.ACTIVE
