"""Health cards that were issued."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any, ClassVar

import pgtrigger
from django.db import models

from common.models import BaseModel
from prescriptions.models import Prescription

# What a prescription does not come back from.
REVOKED = (
    Prescription.Status.STOPPED,
    Prescription.Status.SUPERSEDED,
    Prescription.Status.ENTERED_IN_ERROR,
)


def new_rid() -> str:
    """96 random bits: a revocation list says nothing of whose card it is."""
    return secrets.token_urlsafe(12)


class HealthCardQuerySet(models.QuerySet["HealthCard"]):
    def visible_to(self, user: Any) -> HealthCardQuerySet:
        """The patient's own."""
        return self.filter(prescription__patient_id=user.pk)

    def revoked(self) -> HealthCardQuerySet:
        """Those whose prescription ended before its time, or does as soon as a pharmacy gives it
        back."""
        is_over = models.Q(prescription__status__in=REVOKED)
        return self.filter(is_over | models.Q(prescription__stop_requested_at__isnull=False))

    def in_date(self, on: dt.date) -> HealthCardQuerySet:
        """Those that do not say themselves that they are over."""
        return self.filter(prescription__valid_until__gte=on)


class HealthCard(BaseModel):
    """A prescription went out as a SMART Health Card, signed with the key `kid`.

    The card itself is not kept: it is signed anew whenever its patient looks at it, under the
    same `rid`, by which the revocation list knows it. One for each prescription and key.
    """

    prescription = models.ForeignKey(
        Prescription, on_delete=models.PROTECT, related_name="health_cards"
    )
    kid = models.CharField(max_length=43)
    rid = models.CharField(max_length=24, unique=True, default=new_rid)
    issued_at = models.DateTimeField()

    objects = HealthCardQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["kid", "prescription"], name="health_card_by_key")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["prescription", "kid"], name="health_card_once_a_key"),
            models.CheckConstraint(
                condition=models.Q(rid__regex=r"^[A-Za-z0-9_-]{1,24}$"), name="health_card_rid"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="never_changes", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return self.rid

    @property
    def expires_at(self) -> dt.datetime:
        """The end of the prescription's last day, on the clinic's clock."""
        return self.prescription.expires_at
