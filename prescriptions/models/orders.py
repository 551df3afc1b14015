"""A prescription and its items. What was ordered is written once, at issue."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, ClassVar

import orjson
import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from common import crypto
from common.clock import clinic_date, clinic_midnight
from common.fields import EncryptedTextField
from common.models import BaseModel
from connections.models import Connection, DataCategory, readable
from prescriptions.numbers import as_written, new_number

NEVER_CHANGES = pgtrigger.Protect(
    name="never_changes", operation=pgtrigger.Update | pgtrigger.Delete
)
IS_KEPT = pgtrigger.Protect(name="is_kept", operation=pgtrigger.Delete)

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


# How it stands changes along these arrows only. A completed one is active again when what
# completed it is withdrawn.
ARROWS = [
    ("active", "completed"),
    ("active", "stopped"),
    ("active", "superseded"),
    ("active", "entered-in-error"),
    ("completed", "active"),
    ("completed", "stopped"),
    ("completed", "entered-in-error"),
    ("stopped", "entered-in-error"),
]
# Neither stopped, nor replaced, nor a mistake.
GOES_ON = ("active", "completed")
# How it stands, and the secrets of its paper. Every other column is what was ordered.
MAY_CHANGE = [
    "status",
    "status_reason",
    "status_note",
    "status_at",
    "status_by",
    "stop_requested_at",
    "verification_code",
    "verification_digest",
    "pin",
    "wrong_pins",
    "code_made_at",
]


class StopReason(models.TextChoices):
    """Why a prescription is stopped: HL7's `medicationrequest-status-reason` where it has a
    code, in words a doctor would choose."""

    ADVERSE_REACTION = "ADVERSE_REACTION", _("It was not tolerated")
    ALLERGY = "ALLERGY", _("Allergy")
    INTERACTION = "INTERACTION", _("It interacts with another medicine")
    DUPLICATE = "DUPLICATE", _("Another medicine does the same")
    PREGNANCY = "PREGNANCY", _("Pregnancy or breast feeding")
    SURGERY = "SURGERY", _("An operation is planned")
    NOT_EFFECTIVE = "NOT_EFFECTIVE", _("It does not work")
    NOT_NEEDED = "NOT_NEEDED", _("No longer needed")
    PATIENT_REQUEST = "PATIENT_REQUEST", _("The patient asked for it")
    ENTERED_IN_ERROR = "ENTERED_IN_ERROR", _("Written by mistake")
    OTHER = "OTHER", _("Another reason")


class FrequencyUnit(models.TextChoices):
    DAY = "DAY", _("a day")
    WEEK = "WEEK", _("a week")


def _is_active(reader: Any) -> models.Q:
    """Active, as this reader is told (`Prescription.state_told`); without one, as it is."""
    active = models.Q(status=Prescription.Status.ACTIVE)
    if reader is None:
        return active
    return active | models.Q(
        status=Prescription.Status.COMPLETED,
        doctor_id=reader.pk,
        connection__ended_at__isnull=False,
        connection__ended_at__lt=models.F("status_at"),
    )


class PrescriptionQuerySet(models.QuerySet["Prescription"]):
    def visible_to(self, user: Any) -> PrescriptionQuerySet:
        """The patient sees all of theirs; a doctor those they issued, also after parting, and
        those by others that the patient lets them see."""
        instant = models.ExpressionWrapper(
            models.OuterRef("issued_at"), output_field=models.DateTimeField()
        )
        issued = TruncDate(instant, tzinfo=timezone.get_default_timezone())
        return readable(
            self,
            user=user,
            category=DataCategory.PRESCRIPTIONS,
            dated=issued,
            also=models.Q(doctor_id=user.pk),
        )

    def of(self, patient: Any) -> PrescriptionQuerySet:
        """What was prescribed to this person: their own, as `visible_to` gives it to them."""
        return self.visible_to(patient).filter(patient_id=patient.pk)

    def issued_by(self, doctor: Any) -> PrescriptionQuerySet:
        return self.filter(doctor_id=doctor.pk)

    def current(self) -> PrescriptionQuerySet:
        """The last version of each."""
        return self.exclude(status=Prescription.Status.SUPERSEDED)

    def active(self, on: dt.date, reader: Any = None) -> PrescriptionQuerySet:
        """In force, and not past their last day; to a reader, those they are told are."""
        return self.filter(_is_active(reader), valid_until__gte=on)

    def dispensable(self, on: dt.date) -> PrescriptionQuerySet:
        """Good at a pharmacy: active, and nobody has asked to stop it."""
        return self.active(on).filter(stop_requested_at=None)

    def opening(self, on: dt.date) -> PrescriptionQuerySet:
        """Those whose paper opens with the right PIN."""
        return self.dispensable(on).filter(wrong_pins__lt=Prescription.PIN_TRIES)

    def going_on(self) -> PrescriptionQuerySet:
        """What is in them is meant to be taken, also after the last of it was handed out or the
        paper's last day has passed."""
        return self.filter(status__in=GOES_ON, stop_requested_at=None)

    def past(self, on: dt.date, reader: Any = None) -> PrescriptionQuerySet:
        """Last versions that are no longer in force, or past their last day; to a reader, those
        they are told are."""
        return self.current().filter(~_is_active(reader) | models.Q(valid_until__lt=on))

    def in_state(
        self, state: Prescription.State, on: dt.date, reader: Any = None
    ) -> PrescriptionQuerySet:
        """Those that are shown in this state on a day, to a reader or as they are."""
        if state == Prescription.State.ACTIVE:
            return self.active(on, reader)
        if state == Prescription.State.EXPIRED:
            return self.filter(_is_active(reader), valid_until__lt=on)
        return self.filter(~_is_active(reader), status=state.value)

    def matching(self, text: str) -> PrescriptionQuerySet:
        """By the beginning of the number, in whatever way it is written, or by the words of the
        patient's name."""
        named = models.Q()
        for word in text.split():
            named &= models.Q(patient__first_name__icontains=word) | models.Q(
                patient__last_name__icontains=word
            )
        number = as_written(text)
        return self.filter(named | models.Q(number__startswith=number) if number else named)

    def versions_of(self, number: str) -> PrescriptionQuerySet:
        """All that was ever issued under one number, the newest first."""
        return self.filter(number=number).order_by("-version")

    def with_items(self) -> PrescriptionQuerySet:
        return self.select_related("patient", "doctor", "connection").prefetch_related("items")

    def with_course(self) -> PrescriptionQuerySet:
        """With what was dispensed of each item, whether the two are connected still, and which
        version took its place."""
        found = self.with_items().prefetch_related("items__dispenses")
        return found.annotate(replaced_by_id=models.F("replaced_by__pk"))

    def by_verification_code(self, code: str) -> PrescriptionQuerySet:
        """The one whose paper of today carries this secret."""
        return self.filter(verification_digest=crypto.digest(code))

    def by_replaced_code(self, code: str) -> PrescriptionQuerySet:
        """The one whose paper carried this secret until the patient made another."""
        return self.filter(replaced_codes__digest=crypto.digest(code))


class Prescription(BaseModel):
    """FHIR `MedicationRequest` group: one version of what a doctor ordered for a patient.

    What was ordered never changes: a trigger refuses it. Another version carries the same number
    and supersedes this one; of each number one version is not superseded. How it stands changes
    along the arrows of `ARROWS` only; that its days are over is computed, never stored. Who
    prescribed is copied in at issue, so that a doctor's later change of name or specialty does
    not rewrite history. `client_id` is made with the form that issues it, so that sending the
    form again finds the first.

    Its paper carries a secret, and the patient knows the PIN to it; both are replaced together.
    """

    VALID_DAYS = 30
    MAX_ITEMS = 30
    PRINTED_HASH_LENGTH = 16
    PIN_TRIES = 10

    class Status(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("prescription", "Active")
        COMPLETED = "completed", pgettext_lazy("prescription", "Completed")
        STOPPED = "stopped", pgettext_lazy("prescription", "Stopped")
        SUPERSEDED = "superseded", pgettext_lazy("prescription", "Replaced")
        ENTERED_IN_ERROR = "entered-in-error", pgettext_lazy("prescription", "Written by mistake")

    class State(models.TextChoices):
        """As it is shown: the stored status, and what the calendar makes of it."""

        ACTIVE = "active", pgettext_lazy("prescription", "Active")
        EXPIRED = "expired", pgettext_lazy("prescription", "Expired")
        COMPLETED = "completed", pgettext_lazy("prescription", "Completed")
        STOPPED = "stopped", pgettext_lazy("prescription", "Stopped")
        SUPERSEDED = "superseded", pgettext_lazy("prescription", "Replaced")
        ENTERED_IN_ERROR = "entered-in-error", pgettext_lazy("prescription", "Written by mistake")

    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="prescriptions"
    )
    patient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="prescriptions"
    )
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="issued_prescriptions"
    )
    number = models.CharField(max_length=11, default=new_number)
    version = models.PositiveSmallIntegerField(default=1)
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="replaced_by"
    )
    diagnosis = models.CharField(_("diagnosis"), max_length=500, blank=True)
    notes = models.TextField(_("notes"), max_length=2000, blank=True)
    issued_at = models.DateTimeField()
    valid_until = models.DateField(_("valid until"))
    prescriber_name = models.CharField(max_length=200)
    prescriber_specialization_en = models.CharField(max_length=120)
    prescriber_specialization_ar = models.CharField(max_length=120)
    prescriber_licence_number = models.CharField(max_length=40)
    # What the safety check found, and why it was issued nevertheless (`safety.as_json`).
    safety = models.JSONField(default=dict, editable=False)
    content_hash = models.CharField(max_length=64)
    item_count = models.PositiveSmallIntegerField()
    client_id = models.UUIDField(null=True, editable=False)

    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    status_reason = models.CharField(
        _("reason"), max_length=16, choices=StopReason, blank=True, default=""
    )
    status_note = models.CharField(_("note"), max_length=300, blank=True, default="")
    status_at = models.DateTimeField(null=True)
    status_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # Asked for while a pharmacy held it; it happens when the pharmacy gives it back.
    stop_requested_at = models.DateTimeField(null=True)

    verification_code = EncryptedTextField(purpose="prescriptions.verification_code")
    verification_digest = models.CharField(max_length=64, unique=True)
    pin = EncryptedTextField(purpose="prescriptions.pin")
    wrong_pins = models.PositiveSmallIntegerField(default=0)
    code_made_at = models.DateTimeField()

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
            models.UniqueConstraint(fields=["number", "version"], name="prescription_version_once"),
            models.UniqueConstraint(
                fields=["number"],
                condition=~models.Q(status="superseded"),
                name="prescription_one_current_version",
            ),
            models.CheckConstraint(
                condition=models.Q(version=1, replaces=None)
                | models.Q(version__gt=1, replaces__isnull=False),
                name="prescription_version_replaces",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    status__in=["active", "completed", "superseded"],
                    status_reason="",
                    status_note="",
                    stop_requested_at=None,
                )
                | models.Q(status="active", stop_requested_at__isnull=False)
                & ~models.Q(status_reason="")
                | models.Q(status="stopped") & ~models.Q(status_reason__in=["", "ENTERED_IN_ERROR"])
                | models.Q(status="entered-in-error", status_reason="ENTERED_IN_ERROR"),
                name="prescription_status_has_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(status="active") | models.Q(status_at__isnull=False),
                name="prescription_status_has_time",
            ),
            models.CheckConstraint(
                condition=models.Q(wrong_pins__lte=10), name="prescription_pin_tries_limited"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.ReadOnly(name="ordered_once", exclude=MAY_CHANGE),
            IS_KEPT,
            pgtrigger.FSM(name="status_arrows", field="status", transitions=ARROWS),
            pgtrigger.Protect(
                name="stop_is_asked_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__stop_requested_at__isnull=False)
                & pgtrigger.Q(old__stop_requested_at__df=pgtrigger.F("new__stop_requested_at")),
            ),
            pgtrigger.Trigger(
                name="superseded_by_next",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                timing=pgtrigger.Deferred,
                func="""
                    IF NEW.status = 'superseded' AND NOT EXISTS (
                        SELECT FROM prescriptions_prescription AS successor
                        WHERE successor.replaces_id = NEW.id
                    ) THEN
                        RAISE EXCEPTION 'What is superseded is replaced by a version.';
                    END IF;
                    IF NEW.replaces_id IS NOT NULL AND NOT EXISTS (
                        SELECT FROM prescriptions_prescription AS before
                        WHERE before.id = NEW.replaces_id
                        AND before.number = NEW.number AND before.version = NEW.version - 1
                        AND before.status = 'superseded' AND before.patient_id = NEW.patient_id
                        AND before.doctor_id = NEW.doctor_id
                    ) THEN
                        RAISE EXCEPTION 'A version replaces the one before it.';
                    END IF;
                    RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="held_is_active",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(old__status="active") & ~pgtrigger.Q(new__status="active"),
                func="""
                    IF EXISTS (
                        SELECT FROM prescriptions_prescription AS held
                        JOIN prescriptions_dispenseclaim AS claim ON claim.prescription_id = held.id
                        WHERE held.id = NEW.id AND held.status <> 'active'
                        AND claim.ended_at IS NULL
                    ) THEN
                        RAISE EXCEPTION 'What a pharmacy holds is active.';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def is_shared_with(self, reader: Any) -> bool:
        """Whether this person, to whom it is visible, reads it by the patient's grant: neither
        the patient nor who wrote it."""
        return reader.pk not in {self.patient_id, self.doctor_id}

    def told_until(self, reader: Any) -> dt.datetime | None:
        """Until when its patient or its prescriber is told what pharmacies did with it: a
        prescriber until the two part, for where the patient goes afterwards is none of their
        business. None is without end."""
        return None if reader.pk == self.patient_id else self.connection.ended_at

    def gives_code_to(self, reader: Any) -> bool:
        """Whether the code of its paper is this reader's: the patient's, and the prescriber's
        until the two part, for who has it reads on how it stands."""
        return not self.is_shared_with(reader) and self.told_until(reader) is None

    def state_told(self, reader: Any, on: dt.date) -> State:
        """Its state on a day, to this reader: that pharmacies have handed out all of it, the
        prescriber is told only of what they did until the two parted."""
        until = self.told_until(reader) if reader.pk == self.doctor_id else None
        is_completed = self.status == self.Status.COMPLETED
        if is_completed and until and self.status_at and self.status_at > until:
            return self._on_its_days(on)
        return self.state(on)

    @property
    def issued_on(self) -> dt.date:
        """The day of issue on the clinic's calendar."""
        return clinic_date(self.issued_at)

    def state(self, on: dt.date) -> State:
        """Its state on a day; a prescription is good through its last day."""
        if self.status == self.Status.ACTIVE:
            return self._on_its_days(on)
        return self.State(self.status)

    def _on_its_days(self, on: dt.date) -> State:
        return self.State.EXPIRED if on > self.valid_until else self.State.ACTIVE

    def is_active(self, on: dt.date) -> bool:
        return self.state(on) == self.State.ACTIVE

    def is_dispensable(self, on: dt.date) -> bool:
        """Whether it is good at a pharmacy: active, and nobody has asked to stop it."""
        return self.is_active(on) and not self.is_stop_requested

    @property
    def goes_on(self) -> bool:
        """Whether what is in it is meant to be taken, also after the last of it was handed out or
        its last day has passed."""
        return self.status in GOES_ON and not self.is_stop_requested

    @property
    def expires_at(self) -> dt.datetime:
        """The end of its last day, on the clinic's clock."""
        return clinic_midnight(self.valid_until + dt.timedelta(days=1))

    @property
    def is_stop_requested(self) -> bool:
        """Whether it ends as soon as the pharmacy that holds it gives it back."""
        return self.status == self.Status.ACTIVE and self.stop_requested_at is not None

    @property
    def is_pin_locked(self) -> bool:
        """Whether the PIN was guessed at too often; the patient can make another."""
        return self.wrong_pins >= self.PIN_TRIES

    @property
    def has_controlled_item(self) -> bool:
        return any(item.is_controlled for item in self.items.all())

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
            "safety": self.safety,
            "items": [item.content() for item in items],
        }
        # The database keeps the keys of an object in an order of its own.
        canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(canonical).hexdigest()

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
    # Whether it was under international control when it was ordered.
    is_controlled = models.BooleanField(_("controlled"), default=False)

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
            self.is_controlled,
        ]

    @property
    def total_quantity(self) -> int:
        """All that may ever be dispensed of it, refills included."""
        return self.quantity * (1 + self.refills)


class StatusChange(BaseModel):
    """How a prescription stood from then on, and why; or that stopping it was asked for. Written
    once: what it stands at now is on the prescription, how it came there is here."""

    prescription = models.ForeignKey(
        Prescription, on_delete=models.PROTECT, related_name="status_changes"
    )
    status = models.CharField(max_length=16, choices=Prescription.Status)
    reason = models.CharField(max_length=16, choices=StopReason, blank=True, default="")
    note = models.CharField(max_length=300, blank=True, default="")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    is_request = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(
                    status__in=["active", "completed", "superseded"],
                    reason="",
                    note="",
                    is_request=False,
                )
                | models.Q(status="stopped") & ~models.Q(reason__in=["", "ENTERED_IN_ERROR"])
                | models.Q(status="entered-in-error", reason="ENTERED_IN_ERROR"),
                name="status_change_has_reason",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [NEVER_CHANGES]

    def __str__(self) -> str:
        return self.status


class ReplacedCode(BaseModel):
    """The secret of a paper that the patient has replaced, so that the paper can say so."""

    prescription = models.ForeignKey(
        Prescription, on_delete=models.CASCADE, related_name="replaced_codes"
    )
    digest = models.CharField(max_length=64, unique=True)
    replaced_at = models.DateTimeField()

    class Meta:
        triggers: ClassVar[list[pgtrigger.Trigger]] = [NEVER_CHANGES]

    def __str__(self) -> str:
        return "replaced code"
