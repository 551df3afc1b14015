"""Administrators are reminded of questions that wait too long."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import User
from audit.models import AccessCase
from connections.jobs import remind_of_cases
from connections.services.cases import answer_case, remind_of_overdue
from connections.tests.asking import ask, looked
from medisync.tests.client import sign_in
from medisync.tests.races import race
from notifications.models import Notification
from notifications.wording import Kind

pytestmark = pytest.mark.django_db
WEEK = AccessCase.ANSWERED_WITHIN
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def case(patient: User, doctor: User, admin: User) -> AccessCase:
    return ask(patient, looked(doctor, patient))


def reminders() -> list[str]:
    return [str(one.title) for one in Notification.objects.filter(kind=Kind.CASES_OVERDUE)]


def test_nobody_is_reminded_before_the_time(case: AccessCase) -> None:
    assert remind_of_overdue(now=case.due_at - HOUR) == 0
    assert reminders() == []


def test_administrators_are_told_how_many_wait(
    case: AccessCase, patient: User, doctor: User
) -> None:
    ask(patient, looked(doctor, patient))

    remind_of_overdue(now=case.due_at + HOUR)

    assert reminders() == ["Questions about accesses that should have been answered by now: 2."]


def test_reminder_comes_once_a_day(case: AccessCase) -> None:
    hours = (1, 2, 12, 25, 26, 49)

    told = [remind_of_overdue(now=case.due_at + hour * HOUR) for hour in hours]

    assert told == [1, 0, 0, 1, 0, 1]


def test_what_is_answered_is_not_reminded_of(case: AccessCase, admin: User) -> None:
    answer_case(session=sign_in(admin), case_id=case.pk, answer="By mistake.")

    assert remind_of_overdue(now=case.due_at + HOUR) == 0


def test_job_reminds_by_the_clock(case: AccessCase) -> None:
    AccessCase.objects.update(due_at=timezone.now())

    remind_of_cases()

    assert len(reminders()) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_remind_once(case: AccessCase) -> None:
    late = case.due_at + HOUR

    racers = race(*[lambda: remind_of_overdue(now=late)] * 2, gate=Notification)

    assert sorted(racer.value for racer in racers) == [0, 1]
    assert len(reminders()) == 1
