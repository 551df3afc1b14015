"""A medical record: FHIR `DocumentReference`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel
from connections.models import readable


class RecordQuerySet(models.QuerySet["Record"]):
    def visible_to(self, user: Any) -> RecordQuerySet:
        """The patient's, and what they let a doctor see; to a doctor, nothing that is marked
        sensitive or lies in the trash."""
        found = readable(
            self, user=user, category=models.OuterRef("kind"), dated=models.OuterRef("date")
        )
        if user.is_authenticated and user.is_patient:
            return found
        return found.kept().filter(is_sensitive=False)

    def kept(self) -> RecordQuerySet:
        """Not in the trash."""
        return self.filter(trashed_at=None)


class Record(BaseModel):
    """One document of a patient's history."""

    class Kind(models.TextChoices):
        """Each is a `DataCategory` that a grant may open."""

        LAB_RESULT = "LAB_RESULT", _("Lab result")
        IMAGING = "IMAGING", _("Imaging")
        PRESCRIPTION_SCAN = "PRESCRIPTION_SCAN", _("Prescription on paper")
        REPORT = "REPORT", _("Report")
        VACCINATION = "VACCINATION", _("Vaccination")
        OTHER = "OTHER", _("Other")

    patient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="records"
    )
    kind = models.CharField(max_length=20, choices=Kind)
    title = models.CharField(max_length=200)
    date = models.DateField()
    description = models.TextField(max_length=2000, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    is_sensitive = models.BooleanField(default=False)
    trashed_at = models.DateTimeField(null=True, blank=True)

    objects = RecordQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient", "-date"], name="record_by_patient")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~models.Q(title=""), name="record_has_title")
        ]

    def __str__(self) -> str:
        return str(self.pk)
