"""The connection between one patient and one doctor."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel


class Weekday(models.TextChoices):
    """FHIR's days of week, from the first of an Egyptian working week."""

    SATURDAY = "sat", _("Saturday")
    SUNDAY = "sun", _("Sunday")
    MONDAY = "mon", _("Monday")
    TUESDAY = "tue", _("Tuesday")
    WEDNESDAY = "wed", _("Wednesday")
    THURSDAY = "thu", _("Thursday")
    FRIDAY = "fri", _("Friday")


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def visible_to(self, user: Any) -> ConnectionQuerySet:
        """The two people it joins, and nobody else. A pair that never was connected and has a
        row because one blocked the other is known to whoever blocked, alone."""
        if not user.is_authenticated:
            return self.none()
        was = models.Q(connected_at__isnull=False)
        return self.filter(
            models.Q(patient_id=user.pk) & (was | models.Q(blocked_by_patient_at__isnull=False))
            | models.Q(doctor_id=user.pk) & (was | models.Q(blocked_by_doctor_at__isnull=False))
        )

    def standing_as(self, status: str, user: Any) -> ConnectionQuerySet:
        """Those that stand so, as `status_for` tells this user."""
        mine = models.Q(patient_id=user.pk, blocked_by_patient_at__isnull=False) | models.Q(
            doctor_id=user.pk, blocked_by_doctor_at__isnull=False
        )
        if status == Connection.Status.BLOCKED:
            return self.filter(mine)
        if status == Connection.Status.ACTIVE:
            return self.active()
        return self.exclude(status=Connection.Status.ACTIVE).exclude(mine)

    def active(self) -> ConnectionQuerySet:
        return self.filter(status=Connection.Status.ACTIVE)

    def with_people(self) -> ConnectionQuerySet:
        return self.select_related("patient", "doctor__doctor_profile__specialization")


class Connection(BaseModel):
    """One row per pair, for good: ending it and connecting again changes its status.

    It is blocked while either side blocks the other. Who is blocked is not told: to them it
    has ended (`status_for`). The doctor may say when a patient reaches them.
    """

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        INACTIVE = "INACTIVE", _("Ended")
        BLOCKED = "BLOCKED", _("Blocked")

    class Origin(models.TextChoices):
        QR = "QR", _("QR code")
        REQUEST = "REQUEST", _("Request")
        ADMIN = "ADMIN", _("Administrator")

    patient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="patient_connections"
    )
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="doctor_connections"
    )
    status = models.CharField(max_length=10, choices=Status)
    # Empty together, where one blocked the other before they ever were connected.
    origin = models.CharField(max_length=10, choices=Origin, blank=True)
    connected_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    blocked_by_patient_at = models.DateTimeField(null=True, blank=True)
    blocked_by_doctor_at = models.DateTimeField(null=True, blank=True)
    available_days = ArrayField(
        models.CharField(max_length=3, choices=Weekday), default=list, blank=True
    )
    available_from = models.TimeField(null=True, blank=True)
    available_until = models.TimeField(null=True, blank=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient", "-id"], name="connection_by_patient"),
            models.Index(fields=["doctor", "-id"], name="connection_by_doctor"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["patient", "doctor"], name="connection_once_per_pair"),
            models.CheckConstraint(
                condition=~models.Q(patient=models.F("doctor")), name="connection_of_two"
            ),
            models.CheckConstraint(
                condition=models.Q(connected_at=None, origin="", ended_at=None, ended_by=None)
                & ~models.Q(status="ACTIVE")
                | models.Q(
                    status="ACTIVE", connected_at__isnull=False, ended_at=None, ended_by=None
                )
                | ~models.Q(status="ACTIVE")
                & models.Q(connected_at__isnull=False, ended_at__isnull=False),
                name="connection_ended_when_not_active",
            ),
            models.CheckConstraint(
                condition=models.Q(status="BLOCKED")
                & (
                    models.Q(blocked_by_patient_at__isnull=False)
                    | models.Q(blocked_by_doctor_at__isnull=False)
                )
                | ~models.Q(status="BLOCKED")
                & models.Q(blocked_by_patient_at=None, blocked_by_doctor_at=None),
                name="connection_blocked_by_someone",
            ),
            models.CheckConstraint(
                condition=models.Q(available_from=None, available_until=None)
                | models.Q(
                    available_until__isnull=False,
                    available_from__lt=models.F("available_until"),
                )
                & models.Q(available_from__isnull=False),
                name="connection_hours_in_order",
            ),
            models.CheckConstraint(
                condition=models.Q(available_days__contained_by=Weekday.values),
                name="connection_days_known",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            # Whatever ends a connection has to end what it let the doctor see.
            pgtrigger.Trigger(
                name="leaves_no_grant",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("status"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__status="ACTIVE") & ~pgtrigger.Q(new__status="ACTIVE"),
                func="""
                    IF EXISTS (
                        SELECT FROM connections_accessgrant
                        WHERE connection_id = NEW.id AND ended_at IS NULL
                    ) THEN
                        RAISE EXCEPTION 'A connection ends together with its grant.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} – {self.doctor_id}"

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE

    @property
    def was_made(self) -> bool:
        """Whether the two ever were connected."""
        return self.connected_at is not None

    @property
    def says_when(self) -> bool:
        """Whether the doctor has said when the patient reaches them."""
        return bool(self.available_days or self.available_from)

    @property
    def day_names(self) -> list[str]:
        return [str(Weekday(code).label) for code in self.available_days]

    def other_side(self, user: Any) -> Any:
        """The person this user is connected with."""
        return self.doctor if user.pk == self.patient_id else self.patient

    def blocked_at(self, user: Any) -> dt.datetime | None:
        """Since when this side blocks the other."""
        is_patient = user.pk == self.patient_id
        return self.blocked_by_patient_at if is_patient else self.blocked_by_doctor_at

    def status_for(self, user: Any) -> Connection.Status:
        """How it stands, as this side may know."""
        if self.status == self.Status.BLOCKED and not self.blocked_at(user):
            return self.Status.INACTIVE
        return self.Status(self.status)
