"""A prescription and its items. Both are written once, at issue."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from common import crypto
from common.clock import clinic_date
from common.fields import EncryptedTextField
from common.models import BaseModel
from common.renderers import dumps
from connections.models import Connection
from prescriptions.numbers import new_number

NEVER_CHANGES = pgtrigger.Protect(
    name="never_changes", operation=pgtrigger.Update | pgtrigger.Delete
)

# The items of a prescription are those it was issued with: no position beyond their number.
NONE_ADDED = pgtrigger.Trigger(
    name="none_added",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    func="""
        IF NEW.position <= (
            SELECT item_count FROM prescriptions_prescription WHERE id = NEW.prescription_id
        ) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'An item cannot be added to an issued prescription.';
    """,
)


class Route(models.TextChoices):
    """How a medicine is given; FHIR `dosage.route`."""

    ORAL = "ORAL", _("By mouth")
    SUBLINGUAL = "SUBLINGUAL", _("Under the tongue")
    TOPICAL = "TOPICAL", _("On the skin")
    INHALATION = "INHALATION", _("Inhaled")
    NASAL = "NASAL", _("In the nose")
    OPHTHALMIC = "OPHTHALMIC", _("In the eye")
    OTIC = "OTIC", _("In the ear")
    RECTAL = "RECTAL", _("Rectal")
    VAGINAL = "VAGINAL", _("Vaginal")
    SUBCUTANEOUS = "SUBCUTANEOUS", _("Under the skin (injection)")
    INTRAMUSCULAR = "INTRAMUSCULAR", _("Into a muscle (injection)")
    INTRAVENOUS = "INTRAVENOUS", _("Into a vein (injection)")
    TRANSDERMAL = "TRANSDERMAL", _("Patch")
    OTHER = "OTHER", _("Other")


class FrequencyUnit(models.TextChoices):
    DAY = "DAY", _("a day")
    WEEK = "WEEK", _("a week")


class PrescriptionQuerySet(models.QuerySet["Prescription"]):
    def visible_to(self, user: Any) -> PrescriptionQuerySet:
        """The patient sees all of theirs; a doctor those they issued, also after parting."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(models.Q(patient_id=user.pk) | models.Q(doctor_id=user.pk))

    def active(self, on: dt.date) -> PrescriptionQuerySet:
        """Not past their last day."""
        return self.filter(valid_until__gte=on)

    def expired(self, on: dt.date) -> PrescriptionQuerySet:
        return self.filter(valid_until__lt=on)

    def with_items(self) -> PrescriptionQuerySet:
        return self.select_related("patient", "doctor").prefetch_related("items")

    def by_verification_code(self, code: str) -> PrescriptionQuerySet:
        """The one whose QR carries this secret."""
        return self.filter(verification_digest=crypto.digest(code))


class Prescription(BaseModel):
    """FHIR `MedicationRequest` group: what a doctor ordered for a patient on one day.

    A trigger refuses every later change. Who prescribed is copied in at issue, so that a
    doctor's later change of name or specialty does not rewrite history. `client_id` is made
    with the form that issues it, so that sending the form again finds the first.
    """

    VALID_DAYS = 30
    MAX_ITEMS = 30
    PRINTED_HASH_LENGTH = 16

    class State(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("prescription", "Active")
        EXPIRED = "expired", pgettext_lazy("prescription", "Expired")

    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="prescriptions"
    )
    patient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="prescriptions"
    )
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="issued_prescriptions"
    )
    number = models.CharField(max_length=11, unique=True, default=new_number)
    version = models.PositiveSmallIntegerField(default=1)
    diagnosis = models.CharField(_("diagnosis"), max_length=500, blank=True)
    notes = models.TextField(_("notes"), max_length=2000, blank=True)
    issued_at = models.DateTimeField()
    valid_until = models.DateField(_("valid until"))
    prescriber_name = models.CharField(max_length=200)
    prescriber_specialization_en = models.CharField(max_length=120)
    prescriber_specialization_ar = models.CharField(max_length=120)
    prescriber_licence_number = models.CharField(max_length=40)
    verification_code = EncryptedTextField(purpose="prescriptions.verification_code")
    verification_digest = models.CharField(max_length=64, unique=True)
    content_hash = models.CharField(max_length=64)
    item_count = models.PositiveSmallIntegerField()
    client_id = models.UUIDField(null=True, editable=False)

    objects = PrescriptionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient", "-id"], name="prescription_by_patient"),
            models.Index(fields=["doctor", "-id"], name="prescription_by_doctor"),
            models.Index(fields=["connection", "-id"], name="prescription_by_connection"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(version__gte=1), name="prescription_version_positive"
            ),
            models.UniqueConstraint(
                fields=["connection", "client_id"], name="prescription_issued_once"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [NEVER_CHANGES]

    def __str__(self) -> str:
        return self.number

    @property
    def issued_on(self) -> dt.date:
        """The day of issue on the clinic's calendar."""
        return clinic_date(self.issued_at)

    def state(self, on: dt.date) -> State:
        """Its state on a day; a prescription is good through its last day."""
        return self.State.EXPIRED if on > self.valid_until else self.State.ACTIVE

    @property
    def prescriber_specialization(self) -> str:
        """What the prescriber practised at issue, in the language being spoken."""
        if get_language() == "ar":
            return self.prescriber_specialization_ar
        return self.prescriber_specialization_en

    @property
    def printed_hash(self) -> str:
        """As much of the content hash as the paper carries: 64 bits."""
        return self.content_hash[: self.PRINTED_HASH_LENGTH]

    @property
    def verification_path(self) -> str:
        """Where its QR points: the secret, and what this paper claims to be."""
        return f"/verify/{self.verification_code}?v={self.version}&h={self.printed_hash}"

    @property
    def verification_url(self) -> str:
        return f"{settings.SITE_URL}{self.verification_path}"

    def computed_content_hash(self, items: list[PrescriptionItem]) -> str:
        """SHA-256 over everything that was ordered, for whom and by whom, in a fixed order.

        Text is hashed as it stands; a single changed character gives another hash.
        """
        content = {
            "number": self.number,
            "version": self.version,
            "patient": str(self.patient_id),
            "doctor": str(self.doctor_id),
            "issued_at": self.issued_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            "valid_until": self.valid_until.isoformat(),
            "prescriber": [
                self.prescriber_name,
                self.prescriber_specialization_en,
                self.prescriber_specialization_ar,
                self.prescriber_licence_number,
            ],
            "diagnosis": self.diagnosis,
            "notes": self.notes,
            "items": [item.content() for item in items],
        }
        return hashlib.sha256(dumps(content)).hexdigest()

    def is_intact(self) -> bool:
        """Whether the stored rows are still the ones that were issued."""
        return self.computed_content_hash(list(self.items.all())) == self.content_hash


class PrescriptionItem(BaseModel):
    """One medicine of a prescription, as FHIR `MedicationRequest` has it."""

    MAX_DURATION_DAYS = 365
    MAX_QUANTITY = 1000
    MAX_REFILLS = 12

    prescription = models.ForeignKey(Prescription, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField()
    medicine = models.CharField(_("medicine"), max_length=200)
    strength = models.CharField(_("strength"), max_length=80, blank=True)
    route = models.CharField(_("route"), max_length=16, choices=Route, default=Route.ORAL)
    frequency = models.PositiveSmallIntegerField(
        _("times"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(24)],
    )
    frequency_unit = models.CharField(
        _("per"), max_length=4, choices=FrequencyUnit, default=FrequencyUnit.DAY
    )
    as_needed = models.BooleanField(_("as needed"), default=False)
    duration_days = models.PositiveSmallIntegerField(
        _("days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_DURATION_DAYS)],
    )
    quantity = models.PositiveSmallIntegerField(
        _("quantity"), validators=[MinValueValidator(1), MaxValueValidator(MAX_QUANTITY)]
    )
    refills = models.PositiveSmallIntegerField(
        _("refills"), default=0, validators=[MaxValueValidator(MAX_REFILLS)]
    )
    instructions = models.CharField(_("instructions"), max_length=500, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["prescription", "position"], name="item_in_its_place"),
            models.CheckConstraint(
                # Without the first half an absent frequency would make the condition unknown,
                # which PostgreSQL lets pass.
                condition=models.Q(frequency__isnull=False, frequency__range=(1, 24))
                | models.Q(frequency=None, as_needed=True),
                name="item_frequency_or_as_needed",
            ),
            models.CheckConstraint(
                condition=models.Q(duration_days=None) | models.Q(duration_days__range=(1, 365)),
                name="item_duration_in_days",
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__range=(1, 1000)), name="item_quantity_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(refills__lte=12), name="item_refills_limited"
            ),
            models.CheckConstraint(condition=~models.Q(medicine=""), name="item_names_medicine"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [NEVER_CHANGES, NONE_ADDED]

    def __str__(self) -> str:
        return self.medicine

    def content(self) -> list[Any]:
        """What was ordered, in a fixed order, for the content hash."""
        return [
            self.position,
            self.medicine,
            self.strength,
            self.route,
            self.frequency,
            self.frequency_unit,
            self.as_needed,
            self.duration_days,
            self.quantity,
            self.refills,
            self.instructions,
        ]
