"""The connection between one patient and one doctor."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def visible_to(self, user: Any) -> ConnectionQuerySet:
        """The two people it joins, and nobody else."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(models.Q(patient_id=user.pk) | models.Q(doctor_id=user.pk))

    def active(self) -> ConnectionQuerySet:
        return self.filter(status=Connection.Status.ACTIVE)

    def with_people(self) -> ConnectionQuerySet:
        return self.select_related("patient", "doctor__doctor_profile__specialization")


class Connection(BaseModel):
    """One row per pair, for good: ending it and connecting again changes its status."""

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
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    origin = models.CharField(max_length=10, choices=Origin)
    connected_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

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
                condition=models.Q(status="ACTIVE", ended_at=None, ended_by=None)
                | (~models.Q(status="ACTIVE") & models.Q(ended_at__isnull=False)),
                name="connection_ended_when_not_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} – {self.doctor_id}"

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE

    def other_side(self, user: Any) -> Any:
        """The person this user is connected with."""
        return self.doctor if user.pk == self.patient_id else self.patient
