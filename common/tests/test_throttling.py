"""Rates are counted in windows of time."""

from __future__ import annotations

import datetime as dt

import time_machine
from django.test import RequestFactory
from django.utils import timezone

from common.throttling import seconds_to_wait


def wait(who: str) -> int | None:
    return seconds_to_wait(RequestFactory().get("/"), group="test", rate="1/m", who=who)


def test_no_window_ends_while_a_test_runs() -> None:
    """Each caller's begins at another second."""
    now, callers = timezone.now(), [f"caller {number}" for number in range(60)]
    for caller in callers:
        wait(caller)

    with time_machine.travel(now + dt.timedelta(seconds=50)):
        assert all(wait(caller) for caller in callers)


def test_next_minute_counts_anew() -> None:
    now = timezone.now()
    wait("somebody")

    with time_machine.travel(now + dt.timedelta(minutes=1)):
        assert wait("somebody") is None
