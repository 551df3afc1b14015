"""What pharmacies do with a prescription: hold it, hand out from it."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel
from prescriptions.models.orders import IS_KEPT, Prescription, PrescriptionItem

# Of an item no more is handed out than was ordered, and only of what holds, by who holds it,
# whoever writes. The prescription is held meanwhile, so that two who hand out at once see each
# other.
WITHIN_THE_ORDER = """
    PERFORM FROM prescriptions_prescription WHERE id = (
        SELECT prescription_id FROM prescriptions_prescriptionitem WHERE id = NEW.item_id
    ) FOR NO KEY UPDATE;
    IF NEW.quantity + (
        SELECT coalesce(sum(quantity), 0) FROM prescriptions_medicationdispense
        WHERE item_id = NEW.item_id AND withdrawn_at IS NULL
    ) > (
        SELECT quantity * (1 + refills) FROM prescriptions_prescriptionitem
        WHERE id = NEW.item_id
    ) THEN
        RAISE EXCEPTION 'No more is dispensed than was prescribed.';
    END IF;
    IF NOT EXISTS (
        SELECT FROM prescriptions_dispenseclaim AS claim
        JOIN prescriptions_prescriptionitem AS item USING (prescription_id)
        WHERE claim.id = NEW.claim_id AND item.id = NEW.item_id AND claim.ended_at IS NULL
        AND claim.expires_at > NEW.dispensed_at
    ) THEN
        RAISE EXCEPTION 'Only who holds the prescription dispenses it.';
    END IF;
    IF NOT EXISTS (
        SELECT FROM prescriptions_prescription AS held
        JOIN prescriptions_prescriptionitem AS item ON item.prescription_id = held.id
        WHERE item.id = NEW.item_id AND held.status = 'active' AND held.stop_requested_at IS NULL
    ) THEN
        RAISE EXCEPTION 'Only what is active is dispensed.';
    END IF;
    RETURN NEW;
"""
# What is stopped, replaced or completed is not held.
OF_WHAT_IS_ACTIVE = """
    IF NOT EXISTS (
        SELECT FROM prescriptions_prescription
        WHERE id = NEW.prescription_id AND status = 'active' FOR NO KEY UPDATE
    ) THEN
        RAISE EXCEPTION 'Only what is active is held.';
    END IF;
    RETURN NEW;
"""

# What becomes of a claim. Every other column is who made it, and when.
TOLD_LATER = ["ended_at", "end_reason", "disputed_at"]


class ApprovedPharmacy(BaseModel):
    """A pharmacy that an administrator has approved for controlled medicines. It proves itself
    by an access code, of which a keyed digest is kept; what was claimed with an earlier one counts
    no longer."""

    name = models.CharField(_("name"), max_length=160)
    licence_number = models.CharField(_("licence number"), max_length=40, unique=True)
    access_code_digest = models.CharField(max_length=64, unique=True, editable=False)
    coded_at = models.DateTimeField(editable=False)
    is_active = models.BooleanField(_("approved"), default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "id"]
        verbose_name = _("approved pharmacy")
        verbose_name_plural = _("approved pharmacies")

    def __str__(self) -> str:
        return self.name


class DispenseClaimQuerySet(models.QuerySet["DispenseClaim"]):
    def standing(self) -> DispenseClaimQuerySet:
        """Not given back. Their time may be over."""
        return self.filter(ended_at=None)

    def overdue(self, at: dt.datetime) -> DispenseClaimQuerySet:
        return self.standing().filter(expires_at__lte=at)


class DispenseClaim(BaseModel):
    """A pharmacy holds a prescription: it alone dispenses from it, for two hours at most.

    Who they are is what they say of themselves, except for an approved pharmacy. They prove
    that they hold it by a secret of ten characters, of which a keyed digest is kept.
    """

    LASTS = dt.timedelta(hours=2)

    class EndReason(models.TextChoices):
        RETURNED = "RETURNED", _("Given back")
        COMPLETED = "COMPLETED", _("Everything was dispensed")
        EXPIRED = "EXPIRED", _("Its time was over")
        DISPUTED = "DISPUTED", _("The patient did not know of it")

    prescription = models.ForeignKey(Prescription, on_delete=models.PROTECT, related_name="claims")
    pharmacy_name = models.CharField(_("pharmacy"), max_length=160)
    pharmacist_name = models.CharField(_("pharmacist"), max_length=160)
    licence_number = models.CharField(_("licence number"), max_length=40)
    approved_pharmacy = models.ForeignKey(
        ApprovedPharmacy, on_delete=models.PROTECT, null=True, related_name="claims"
    )
    secret_digest = models.CharField(max_length=64, unique=True)
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=16, choices=EndReason, blank=True, default="")
    # That the patient said they knew nothing of it, which ends it; also where it was over by then.
    disputed_at = models.DateTimeField(null=True)

    objects = DispenseClaimQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["prescription", "-id"], name="claim_by_prescription"),
            models.Index(
                fields=["expires_at"], condition=models.Q(ended_at=None), name="claim_by_expiry"
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["prescription"],
                condition=models.Q(ended_at=None),
                name="claim_one_standing",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None, end_reason="")
                | models.Q(ended_at__isnull=False) & ~models.Q(end_reason=""),
                name="claim_ended_for_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(disputed_at=None) | models.Q(ended_at__isnull=False),
                name="claim_disputed_is_over",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            IS_KEPT,
            pgtrigger.ReadOnly(name="keeps_its_terms", exclude=TOLD_LATER),
            pgtrigger.Protect(
                name="ends_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__ended_at__isnull=False)
                & (
                    pgtrigger.Q(old__ended_at__df=pgtrigger.F("new__ended_at"))
                    | pgtrigger.Q(old__end_reason__df=pgtrigger.F("new__end_reason"))
                ),
            ),
            pgtrigger.Protect(
                name="disputed_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__disputed_at__isnull=False)
                & pgtrigger.Q(old__disputed_at__df=pgtrigger.F("new__disputed_at")),
            ),
            pgtrigger.Trigger(
                name="of_what_is_active",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=OF_WHAT_IS_ACTIVE,
            ),
        ]

    def __str__(self) -> str:
        return self.pharmacy_name

    @property
    def is_approved(self) -> bool:
        """Whether an administrator has approved this pharmacy; else it says who it is."""
        return self.approved_pharmacy_id is not None

    def is_standing(self, at: dt.datetime) -> bool:
        return self.ended_at is None and at < self.expires_at


class MedicationDispenseQuerySet(models.QuerySet["MedicationDispense"]):
    def counted(self) -> MedicationDispenseQuerySet:
        """Those that were not withdrawn."""
        return self.filter(withdrawn_at=None)


class MedicationDispense(BaseModel):
    """FHIR `MedicationDispense`: so much of one item was handed out. `client_id` is made with
    the form, so that sending it again finds the first."""

    WITHDRAWABLE = dt.timedelta(hours=1)

    claim = models.ForeignKey(DispenseClaim, on_delete=models.PROTECT, related_name="dispenses")
    item = models.ForeignKey(PrescriptionItem, on_delete=models.PROTECT, related_name="dispenses")
    quantity = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(PrescriptionItem.MAX_QUANTITY)]
    )
    dispensed_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    client_id = models.UUIDField(editable=False)

    objects = MedicationDispenseQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["item", "dispensed_at"], name="dispense_by_item")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["claim", "item", "client_id"], name="dispense_sent_once"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__range=(1, PrescriptionItem.MAX_QUANTITY)),
                name="dispense_quantity_positive",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            IS_KEPT,
            pgtrigger.ReadOnly(name="handed_out_once", exclude=["withdrawn_at"]),
            pgtrigger.Protect(
                name="withdrawn_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__withdrawn_at__isnull=False),
            ),
            pgtrigger.Trigger(
                name="within_the_order",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=WITHIN_THE_ORDER,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity}"

    def is_withdrawable(self, at: dt.datetime) -> bool:
        return self.withdrawn_at is None and at < self.dispensed_at + self.WITHDRAWABLE
