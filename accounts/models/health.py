"""What a patient keeps about their own health, in lists; named as FHIR names it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models.users import User
from common.clock import clinic_date
from common.models import BaseModel

PARTIAL_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
# Completes a year, or a year and month, to a day.
FIRST_DAY = "0001-01-01"


def validate_since(value: str) -> None:
    """A year, a month or a day: FHIR's date, for people know the year of what was long ago and
    the day of what was not. It does not lie ahead."""
    try:
        if not PARTIAL_DATE.fullmatch(value):
            raise ValueError
        dt.date.fromisoformat(value + FIRST_DAY[len(value) :])
    except ValueError as error:
        raise ValidationError(
            _("Write a year, a month or a day, such as 2015, 2015-03 or 2015-03-20.")
        ) from error
    if value > clinic_date().isoformat()[: len(value)]:
        raise ValidationError(_("This date lies ahead."))


def since_is_a_date(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(since__regex=f"^({PARTIAL_DATE.pattern})?$"), name=name
    )


class HealthEntryQuerySet(models.QuerySet[Any]):
    def of(self, patient: Any) -> Self:
        """A patient's own. Who else may read them, `connections.models.readable` says."""
        return self.filter(patient_id=patient.pk)


class HealthEntry(BaseModel):
    """A line in one of a patient's lists. `MOST` is how many lines a list holds, `NAMED_BY`
    the field that tells one from another, `CATEGORY` the kind of data it is shared as."""

    MOST: ClassVar[int] = 50
    NAMED_BY: ClassVar[str] = "name"
    CATEGORY: ClassVar[str]

    patient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    objects = HealthEntryQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(getattr(self, self.NAMED_BY))

    @property
    def summary(self) -> str:
        """The rest of the line, in a few words."""
        raise NotImplementedError


class AllergyIntolerance(HealthEntry):
    """What a patient must not be given, or should not."""

    NAMED_BY = "substance"
    CATEGORY = "ALLERGIES"

    class Criticality(models.TextChoices):
        """How bad it could become next time."""

        LOW = "LOW", _("Not life-threatening")
        HIGH = "HIGH", _("May be life-threatening")
        UNABLE_TO_ASSESS = "UNABLE_TO_ASSESS", _("Not known how serious")

    substance = models.CharField(_("substance"), max_length=120)
    criticality = models.CharField(
        _("how serious"), max_length=16, choices=Criticality, default=Criticality.UNABLE_TO_ASSESS
    )
    reaction = models.CharField(_("reaction"), max_length=200, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["substance", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("patient", Lower("substance"), name="allergy_substance_unique"),
            models.CheckConstraint(
                condition=models.Q(criticality__in=["LOW", "HIGH", "UNABLE_TO_ASSESS"]),
                name="allergy_criticality_known",
            ),
        ]

    @property
    def summary(self) -> str:
        return _joined(self.get_criticality_display(), self.reaction)


class Condition(HealthEntry):
    """What a patient lives with, for long or for good."""

    CATEGORY = "CONDITIONS"

    name = models.CharField(_("condition"), max_length=200)
    since = models.CharField(_("since"), max_length=10, blank=True, validators=[validate_since])
    note = models.CharField(_("note"), max_length=500, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient", "name"], name="condition_of_patient")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            since_is_a_date("condition_since_is_date")
        ]

    @property
    def summary(self) -> str:
        return _joined(self.since, self.note)


class MedicationStatement(HealthEntry):
    """What a patient says they take, whoever prescribed it."""

    CATEGORY = "MEDICATIONS"

    name = models.CharField(_("medicine"), max_length=200)
    dosage = models.CharField(_("how you take it"), max_length=200, blank=True)
    since = models.CharField(_("since"), max_length=10, blank=True, validators=[validate_since])

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient", "name"], name="medication_of_patient")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            since_is_a_date("medication_since_is_date")
        ]

    @property
    def summary(self) -> str:
        return _joined(self.dosage, self.since)


class EmergencyContact(HealthEntry):
    """Whom to call when a patient cannot speak. With an e-mail address they are also written to
    when somebody opens the patient's emergency card."""

    MOST = 5
    CATEGORY = "EMERGENCY_CONTACTS"

    name = models.CharField(_("name"), max_length=160)
    relationship = models.CharField(_("relationship"), max_length=60, blank=True)
    phone = PhoneNumberField(_("phone"))
    email = models.EmailField(_("e-mail"), blank=True)

    class Meta:
        # The first one entered is the first one called.
        ordering: ClassVar[list[str]] = ["id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient", "id"], name="contact_of_patient")
        ]

    @property
    def summary(self) -> str:
        return _joined(self.relationship, str(self.phone))


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
