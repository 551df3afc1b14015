"""Telling patients that a medicine runs out soon."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.db.models.functions import TruncDate
from django.utils import timezone, translation
from django.utils.formats import date_format

from accounts.models import User
from common.clock import clinic_date
from common.runs import each
from notifications.services import notify
from notifications.wording import Kind
from prescriptions.fills import course_end
from prescriptions.models import (
    CourseReminder,
    MedicationDispense,
    Prescription,
    PrescriptionItem,
)
from prescriptions.services.holding import lock_prescription
from prescriptions.services.taken import is_taken

# Hours of the patient's clock, from and until, between which they are told.
BY_DAY = range(9, 21)


def remind_of_course_ends(now: dt.datetime) -> int:
    """Tell patients of each medicine that runs out within three days, once for each end of a
    course, by day where they are; returns how many were told of. Of what was stopped or replaced,
    and of what is not taken, nobody is told."""
    due = _due(clinic_date(now)).select_related("prescription__patient")
    ids = [item.pk for item in due.iterator() if _is_by_day(item.prescription.patient, now)]
    return each(ids, lambda pk: _remind(pk, now))


def _due(today: dt.date) -> models.QuerySet[PrescriptionItem]:
    """Items of which a course may end these days: it was issued, or the first of it dispensed,
    at least as long ago as a fill lasts, and the last no longer ago than all its fills together
    last. Which of them it does, and untold, is asked one by one."""
    days = [today, today + CourseReminder.TOLD_BEFORE]
    dispensed = MedicationDispense.objects.counted().filter(item=models.OuterRef("pk"))
    fill = models.OuterRef("duration_days")
    begun = dispensed.alias(ends_on=_day("dispensed_at", fill)).filter(ends_on__lte=days[1])
    last = _day("dispensed_at", fill * (models.OuterRef("refills") + 1))
    lasting = dispensed.alias(ends_on=last).filter(ends_on__gte=today)
    told = CourseReminder.objects.filter(item=models.OuterRef("pk"), ends_on__range=days)
    return (
        PrescriptionItem.objects.filter(
            prescription__in=Prescription.objects.going_on(), duration_days__isnull=False
        )
        .alias(ends_on=_day("prescription__issued_at", models.F("duration_days")))
        .filter(
            models.Q(ends_on__range=days) & ~models.Exists(dispensed)
            | models.Exists(begun) & models.Exists(lasting),
            ~models.Exists(told),
        )
        .order_by("pk")
    )


def _day(instant: str, days: Any) -> Any:
    """The day of an instant on the clinic's calendar, so many days later."""
    day = TruncDate(instant, tzinfo=timezone.get_default_timezone())
    return models.ExpressionWrapper(day + days, output_field=models.DateField())


def _is_by_day(patient: User, now: dt.datetime) -> bool:
    return now.astimezone(ZoneInfo(patient.time_zone)).hour in BY_DAY


@transaction.atomic
def _remind(item_id: UUID, now: dt.datetime) -> bool:
    """The prescription is held, so that of two runs one tells, and nobody is told of what is
    being stopped. It is not where there is nothing to tell."""
    item = PrescriptionItem.objects.select_related("prescription").get(pk=item_id)
    if _end_of(item, clinic_date(now)) is None:
        return False
    prescription = item.prescription = lock_prescription(item.prescription_id)
    end = _end_of(item, clinic_date(now))
    if end is None or not prescription.goes_on:
        return False
    _reminder, is_new = CourseReminder.objects.get_or_create(item=item, ends_on=end)
    if is_new:
        _tell(prescription, end)
    return is_new


def _end_of(item: PrescriptionItem, today: dt.date) -> dt.date | None:
    """The end of the course that its patient is told of today, if any: of what expired and was
    never fetched none."""
    end = course_end(item, item.dispenses.all(), issued_on=item.prescription.issued_on)
    is_soon = end is not None and today <= end <= today + CourseReminder.TOLD_BEFORE
    return end if is_soon and is_taken(item, today) else None


def _tell(prescription: Prescription, end: dt.date) -> None:
    with translation.override(prescription.patient.language):
        day = date_format(end)
    notify(
        recipient=prescription.patient,
        kind=Kind.COURSE_ENDING,
        about=prescription.doctor,
        url=f"/prescriptions/{prescription.pk}",
        context={"date": day},
    )
