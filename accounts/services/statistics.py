"""How many people there are, and how they come in."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.models import OPEN_ROLES, Registration, Role, Status, User
from common.clock import clinic_date

DAYS = 30


@dataclass(frozen=True, slots=True)
class Funnel:
    """How far those got who began to register within the last 24 hours: each number counts
    everybody who came at least so far. Longer ago, those who did not go on are forgotten."""

    role: Role
    started: int
    details: int
    email_proven: int
    profile: int
    approved: int

    @property
    def steps(self) -> list[tuple[str, int]]:
        """For a chart."""
        return [
            (gettext("Started"), self.started),
            (gettext("Details"), self.details),
            (gettext("E-mail proven"), self.email_proven),
            (gettext("Profile"), self.profile),
            (gettext("Active"), self.approved),
        ]


@dataclass(frozen=True, slots=True)
class Day:
    date: dt.date
    count: int


@dataclass(frozen=True, slots=True)
class AccountStatistics:
    total: int
    by_role: dict[str, int]
    by_status: dict[str, int]
    funnel: list[Funnel]
    new_per_day: list[Day]

    @property
    def weeks(self) -> list[tuple[str, int]]:
        """The new ones of four weeks, seven days each, for a chart."""
        ends = self.new_per_day[-1::-7][:4]
        counts = [day.count for day in self.new_per_day]
        sums = [sum(counts[len(counts) - 7 * (n + 1) : len(counts) - 7 * n]) for n in range(4)]
        labelled = zip(ends, sums, strict=True)
        return [(date_format(end.date, "MONTH_DAY_FORMAT"), count) for end, count in labelled][::-1]

    @property
    def roles(self) -> list[tuple[str, int]]:
        return [(str(role.label), self.by_role[role]) for role in Role]

    @property
    def statuses(self) -> list[tuple[str, str, int]]:
        """Those that somebody has: value, label, number."""
        return [(s.value, str(s.label), self.by_status[s]) for s in Status if self.by_status[s]]


def account_statistics() -> AccountStatistics:
    """Everything in three queries, however many people there are."""
    by_role = Counter(dict.fromkeys(Role.values, 0))
    by_status = Counter(dict.fromkeys(Status.values, 0))
    groups = User.objects.order_by().values_list("role", "status").annotate(Count("pk"))
    for role, status, count in groups:
        by_role[role] += count
        by_status[status] += count
    return AccountStatistics(
        total=by_role.total(),
        by_role=dict(by_role),
        by_status=dict(by_status),
        funnel=_funnel(),
        new_per_day=_new_per_day(),
    )


def _funnel() -> list[Funnel]:
    has_user = Q(user__isnull=False)
    has_profile = has_user & ~Q(user__status=Status.EMAIL_VERIFIED)
    steps = (
        Registration.objects.filter(created_at__gt=timezone.now() - Registration.LASTS)
        .order_by()
        .values("role")
        .annotate(
            started=Count("pk"),
            details=Count("pk", filter=~Q(status=Registration.Step.INIT)),
            email_proven=Count("pk", filter=has_user),
            profile=Count("pk", filter=has_profile),
            approved=Count("pk", filter=Q(user__status=Status.ACTIVE)),
        )
    )
    found = {row.pop("role"): row for row in steps}
    nobody = {"started": 0, "details": 0, "email_proven": 0, "profile": 0, "approved": 0}
    return [Funnel(Role(role), **found.get(role, nobody)) for role, _label in OPEN_ROLES]


def _new_per_day() -> list[Day]:
    """The last 30 days of the clinic's calendar, today included, days without anybody too."""
    today = clinic_date()
    days = [today - dt.timedelta(days=ago) for ago in reversed(range(DAYS))]
    zone = timezone.get_default_timezone()
    begin = dt.datetime.combine(days[0], dt.time.min, tzinfo=zone)
    rows = (
        User.objects.filter(created_at__gte=begin)
        .order_by()
        .annotate(day=TruncDate("created_at", tzinfo=zone))
        .values_list("day")
        .annotate(Count("pk"))
    )
    counts = dict(rows)
    return [Day(day, counts.get(day, 0)) for day in days]
