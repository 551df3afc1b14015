"""A booked visit: FHIR `Appointment`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def visible_to(self, user: Any) -> AppointmentQuerySet:
        """The two people who meet."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(models.Q(patient_id=user.pk) | models.Q(doctor_id=user.pk))

    def live(self) -> AppointmentQuerySet:
        """Those that hold their time."""
        return self.filter(status__in=Appointment.LIVE)


class Appointment(BaseModel):
    """A visit of a patient to a doctor. While it is pending or confirmed, the database lets
    neither of them have another one in an overlapping time, by whatever path it comes."""

    class Status(models.TextChoices):
        PENDING = "PENDING", _("Pending")
        CONFIRMED = "CONFIRMED", _("Confirmed")
        CANCELLED = "CANCELLED", _("Cancelled")
        COMPLETED = "COMPLETED", _("Completed")
        NO_SHOW = "NO_SHOW", _("Did not come")

    LIVE = ("PENDING", "CONFIRMED")

    class Modality(models.TextChoices):
        IN_PERSON = "IN_PERSON", _("In person")
        VIDEO = "VIDEO", _("Video")

    patient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="appointments"
    )
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="visits"
    )
    # Half-open: a visit may begin at the instant the one before it ends.
    period = DateTimeRangeField()
    modality = models.CharField(max_length=10, choices=Modality, default=Modality.IN_PERSON)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    reason = models.CharField(max_length=500, blank=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["period"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            ExclusionConstraint(
                name="appointment_doctor_free",
                expressions=[
                    ("doctor", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=models.Q(status__in=["PENDING", "CONFIRMED"]),
            ),
            ExclusionConstraint(
                name="appointment_patient_free",
                expressions=[
                    ("patient", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=models.Q(status__in=["PENDING", "CONFIRMED"]),
            ),
            models.CheckConstraint(
                condition=models.Q(
                    period__isempty=False, period__lower_inf=False, period__upper_inf=False
                ),
                name="appointment_takes_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(patient=models.F("doctor")), name="appointment_of_two"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
