"""`/users/stats`: how many there are, and how people come in."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Registration, Role, Status, User
from accounts.services.registration import start_registration
from accounts.services.statistics import DAYS, account_statistics
from accounts.tests.factories import DoctorFactory, PatientFactory
from accounts.tests.registering import registering, verified
from medisync.tests.client import api_client

pytestmark = pytest.mark.django_db
STATS = "/api/v1/users/stats"


def test_everybody_is_counted_by_role_and_by_status(admin: User) -> None:
    PatientFactory()
    PatientFactory(status=Status.SUSPENDED)
    DoctorFactory(status=Status.PENDING_APPROVAL)

    answer = api_client(admin).get(STATS).data

    assert answer["total"] == 4
    assert answer["by_role"] == {"PATIENT": 2, "DOCTOR": 1, "ADMIN": 1}
    assert {name: n for name, n in answer["by_status"].items() if n} == {
        "ACTIVE": 2,
        "SUSPENDED": 1,
        "PENDING_APPROVAL": 1,
    }
    assert set(answer["by_status"]) == set(Status.values)


def test_funnel_counts_everybody_who_came_at_least_so_far(admin: User) -> None:
    start_registration(role=Role.PATIENT, language="en")
    registering(email="a@example.org")
    verified(email="b@example.org")
    User.objects.filter(pk=verified(email="c@example.org").pk).update(status=Status.ACTIVE)
    doctor = verified(email="d@example.org", role=Role.DOCTOR)
    User.objects.filter(pk=doctor.pk).update(status=Status.PENDING_APPROVAL)

    funnel = {row.pop("role"): row for row in api_client(admin).get(STATS).data["funnel"]}

    assert funnel == {
        "PATIENT": {"started": 4, "details": 3, "email_proven": 2, "profile": 1, "approved": 1},
        "DOCTOR": {"started": 1, "details": 1, "email_proven": 1, "profile": 1, "approved": 0},
    }


def test_funnel_forgets_who_began_before_yesterday(admin: User) -> None:
    verified(email="b@example.org")
    Registration.objects.update(created_at=timezone.now() - Registration.LASTS)

    funnel = api_client(admin).get(STATS).data["funnel"]

    assert [row["started"] for row in funnel] == [0, 0]


def test_days_without_anybody_are_counted_too(admin: User) -> None:
    PatientFactory()
    old = PatientFactory()
    # By the clinic's clock: where summer time ends between, three days are not 72 hours.
    three_days_ago = timezone.localtime() - dt.timedelta(days=3)
    User.objects.filter(pk=old.pk).update(created_at=three_days_ago)
    ancient = PatientFactory()
    User.objects.filter(pk=ancient.pk).update(
        created_at=timezone.now() - dt.timedelta(days=DAYS + 1)
    )

    days = api_client(admin).get(STATS).data["new_per_day"]

    assert len(days) == DAYS
    assert [day["count"] for day in days[-5:]] == [0, 1, 0, 0, 2]
    assert sum(day["count"] for day in days) == 3


def test_day_begins_where_the_clinic_is() -> None:
    """Half past eleven in the evening in London is the next day in Cairo."""
    evening = dt.datetime(2026, 1, 10, 23, 30, tzinfo=dt.UTC)
    with time_machine.travel(evening, tick=False):
        PatientFactory()

        today = account_statistics().new_per_day[-1]

    assert (today.date, today.count) == (dt.date(2026, 1, 11), 1)


def test_it_takes_the_same_few_queries_however_many_there_are(
    admin: User, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        DoctorFactory()
    client = api_client(admin)

    # The session, the accounts, the funnel, the days.
    with django_assert_num_queries(4):
        client.get(STATS)
