"""Rate limits, counted in Redis and shared by every process and both doors.

API views set `throttle_rate` (and `throttle_group` where a page shares the limit); pages call
`check_rate`. Where people of one address do the same at once, as a waiting room signing in, the
rate holds for the address together with the field of the body that `throttle_subject` names, and
`throttle_flood` is what the address may do in all.

With Redis down nothing is counted and nobody is turned away: codes and tokens keep their own
counters in their rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_ratelimit.core import get_usage
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from common.client import client_address, network_of
from common.errors import DomainError

DEFAULT_RATE = "100/m"


class TooManyRequests(DomainError):
    code = "throttled"
    detail = _("Too many attempts. Wait a moment, then try again.")
    status_code = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


def seconds_to_wait(request: HttpRequest, *, group: str, rate: str, who: str) -> int | None:
    """Count one use; None while it is within the rate, else the seconds until it is again."""
    usage = get_usage(request, group=group, key=lambda *_: who, rate=rate, increment=True)
    if usage is None or not usage["should_limit"]:
        return None
    return max(1, int(usage["time_left"]))


def check_rate(
    request: HttpRequest, *, group: str, rate: str, flood: str = "", subject: str = ""
) -> None:
    """A page's guard: raises `TooManyRequests` once the caller is over the rate."""
    who = _caller(request.user, request)
    if flood:
        _check(request, group=f"{group}-flood", rate=flood, who=who)
    _check(request, group=group, rate=rate, who=_about(who, subject))


def _check(request: HttpRequest, *, group: str, rate: str, who: str) -> None:
    wait = seconds_to_wait(request, group=group, rate=rate, who=who)
    if wait is not None:
        raise TooManyRequests(wait)


def _about(who: str, subject: str) -> str:
    """The caller together with a digest of what they typed, which may be any text."""
    typed = subject.strip().lower().encode("utf-8", "replace")
    return f"{who} {hashlib.sha256(typed).hexdigest()}" if subject else who


def _caller(user: Any, request: HttpRequest) -> str:
    """The signed-in user, else the address: the people of one waiting room share an address."""
    return str(user.pk) if user.is_authenticated else network_of(client_address(request))


def _typed(request: Request, field: str) -> str:
    """A field of the body, which may be of any shape yet."""
    data = request.data if field else None
    return str(data.get(field, "")) if isinstance(data, Mapping) else ""


class CallerThrottle(BaseThrottle):
    """Per signed-in user, else per address; stricter where the view says so."""

    def __init__(self) -> None:
        self._wait: int | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        rate = getattr(view, "throttle_rate", None)
        group = getattr(view, "throttle_group", type(view).__name__) if rate else "api"
        who = _caller(request.user, request._request)
        flood = getattr(view, "throttle_flood", "")
        if flood:
            self._count(request, group=f"{group}-flood", rate=flood, who=who)
        if self._wait is None:
            who = _about(who, _typed(request, getattr(view, "throttle_subject", "")))
            self._count(request, group=group, rate=rate or DEFAULT_RATE, who=who)
        return self._wait is None

    def _count(self, request: Request, *, group: str, rate: str, who: str) -> None:
        self._wait = seconds_to_wait(request._request, group=group, rate=rate, who=who)

    def wait(self) -> Any:
        return self._wait
