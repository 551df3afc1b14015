"""What a patient asks for when a prescription runs out."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel
from prescriptions.models.orders import Prescription, PrescriptionItem


class RefillRequestQuerySet(models.QuerySet["RefillRequest"]):
    def visible_to(self, user: Any) -> RefillRequestQuerySet:
        """To a patient those they made, to a doctor those they are asked. By one side alone:
        asked for either at once, the database reads every request there is."""
        if not user.is_authenticated:
            return self.none()
        if user.is_doctor:
            return self.filter(doctor_id=user.pk)
        return self.filter(patient_id=user.pk)

    def pending(self) -> RefillRequestQuerySet:
        return self.filter(status=RefillRequest.Status.PENDING)

    def with_people(self) -> RefillRequestQuerySet:
        return self.select_related("prescription__patient", "prescription__doctor")

    def with_items(self) -> RefillRequestQuerySet:
        """With what was prescribed and dispensed, and how the two are connected."""
        return self.select_related("prescription__connection__patient").prefetch_related(
            "prescription__items__dispenses"
        )


class RefillRequest(BaseModel):
    """A patient asks the prescriber to prescribe the same again. One at a time; it is answered
    by another prescription, or declined, or withdrawn by the patient."""

    # As much as either side writes.
    LONGEST = 500

    class Status(models.TextChoices):
        PENDING = "PENDING", _("Waiting")
        ISSUED = "ISSUED", _("Prescribed")
        DECLINED = "DECLINED", _("Declined")
        CANCELLED = "CANCELLED", _("Withdrawn")

    prescription = models.ForeignKey(
        Prescription, on_delete=models.PROTECT, related_name="refill_requests"
    )
    # Those of the prescription, which a trigger holds: a list of either's requests is one index,
    # and does not look at all that was ever prescribed to find them. Neither has another index.
    patient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    note = models.CharField(_("note"), max_length=LONGEST, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    reason = models.CharField(_("reason"), max_length=LONGEST, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answered_with = models.OneToOneField(
        Prescription, on_delete=models.PROTECT, null=True, related_name="answers"
    )

    objects = RefillRequestQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["prescription", "-id"], name="refill_by_prescription"),
            models.Index(fields=["patient", "-id"], name="refill_by_patient"),
            models.Index(fields=["doctor", "-id"], name="refill_by_doctor"),
            models.Index(
                fields=["doctor", "id"], condition=models.Q(status="PENDING"), name="refill_waiting"
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["prescription"],
                condition=models.Q(status="PENDING"),
                name="refill_one_pending",
            ),
            models.CheckConstraint(
                condition=models.Q(status="PENDING", decided_at=None)
                | ~models.Q(status="PENDING") & models.Q(decided_at__isnull=False),
                name="refill_decided_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(status="ISSUED", answered_with__isnull=False)
                | ~models.Q(status="ISSUED") & models.Q(answered_with=None),
                name="refill_issued_with_prescription",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Trigger(
                name="is_between_its_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert
                | pgtrigger.UpdateOf("prescription_id", "patient_id", "doctor_id"),  # type: ignore[no-untyped-call]
                func="""
                    IF NOT EXISTS (
                        SELECT FROM prescriptions_prescription AS asked
                        WHERE asked.id = NEW.prescription_id
                        AND asked.patient_id = NEW.patient_id AND asked.doctor_id = NEW.doctor_id
                    ) THEN
                        RAISE EXCEPTION 'A request is between the two of its prescription.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="answered_for_good",
                operation=pgtrigger.UpdateOf("status"),  # type: ignore[no-untyped-call]
                condition=~pgtrigger.Q(old__status="PENDING"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"

    @property
    def is_pending(self) -> bool:
        return self.status == self.Status.PENDING


class CourseReminder(BaseModel):
    """That the patient was told of the end of one item's course on that day. Each once."""

    TOLD_BEFORE = dt.timedelta(days=3)

    item = models.ForeignKey(
        PrescriptionItem, on_delete=models.CASCADE, related_name="course_reminders"
    )
    ends_on = models.DateField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["item", "ends_on"], name="course_reminded_once")
        ]

    def __str__(self) -> str:
        return f"{self.ends_on}"
