"""The calendar of the place: days begin where the clinic is, not where the reader is."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone


def clinic_date(at: dt.datetime | None = None) -> dt.date:
    """The day it is, or was, in the installation's time zone (`TIME_ZONE`)."""
    return timezone.localdate(at, timezone.get_default_timezone())


def clinic_midnight(day: dt.date) -> dt.datetime:
    """The moment at which that day begins there."""
    midnight = dt.datetime.combine(day, dt.time.min)
    return timezone.make_aware(midnight, timezone.get_default_timezone())
