"""What a patient lets a doctor see: the one rule of reading."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from accounts.policies import is_active
from common.models import BaseModel
from connections.models.connections import Connection

Rows = TypeVar("Rows", bound="models.QuerySet[Any]")


class DataCategory(models.TextChoices):
    """The kinds of data that are shared, or not, each for itself."""

    FACTS = "FACTS", _("Birth date, sex, blood type, height and weight")
    ALLERGIES = "ALLERGIES", _("Allergies")
    CONDITIONS = "CONDITIONS", _("Chronic conditions")
    MEDICATIONS = "MEDICATIONS", _("Medicines taken")
    EMERGENCY_CONTACTS = "EMERGENCY_CONTACTS", _("Emergency contacts")
    PRESCRIPTIONS = "PRESCRIPTIONS", _("Prescriptions by other doctors")
    LAB_RESULT = "LAB_RESULT", _("Lab results")
    IMAGING = "IMAGING", _("Images and scans")
    PRESCRIPTION_SCAN = "PRESCRIPTION_SCAN", _("Older prescriptions on paper")
    REPORT = "REPORT", _("Reports")
    VACCINATION = "VACCINATION", _("Vaccinations")
    OTHER = "OTHER", _("Other documents")


class Purpose(models.TextChoices):
    """What for: HL7's purposes of use, as far as a patient would say them."""

    TREATMENT = "TREATMENT", _("Treatment")
    FOLLOW_UP = "FOLLOW_UP", _("Follow-up of something treated before")
    SECOND_OPINION = "SECOND_OPINION", _("Second opinion")


class Terms(models.Model):
    """What is shared, from when on, until when, and what for. The first day bounds what has a
    day of its own, prescriptions and documents; facts and lists describe the present."""

    categories = ArrayField(
        models.CharField(max_length=20, choices=DataCategory), default=list, blank=True
    )
    data_from = models.DateField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    purpose = models.CharField(max_length=16, choices=Purpose, default=Purpose.TREATMENT)

    class Meta:
        abstract = True

    @property
    def category_names(self) -> list[str]:
        return [str(DataCategory(code).label) for code in self.categories]


class AccessGrantQuerySet(models.QuerySet["AccessGrant"]):
    def visible_to(self, user: Any) -> AccessGrantQuerySet:
        """The patient who gave it sees all of theirs, the doctor what they may see now."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(
            models.Q(connection__patient_id=user.pk)
            | models.Q(connection__doctor_id=user.pk) & self._in_force()
        )

    def standing(self) -> AccessGrantQuerySet:
        """Not ended by anybody. Its time may be over."""
        return self.filter(ended_at=None)

    def in_force(self) -> AccessGrantQuerySet:
        """Those that open something at this moment, by the clock of the database."""
        return self.filter(self._in_force())

    @staticmethod
    def _in_force() -> models.Q:
        return models.Q(ended_at=None, connection__status=Connection.Status.ACTIVE) & (
            models.Q(ends_at=None) | models.Q(ends_at__gt=Now())
        )

    def opening(
        self, category: Any, *, to: Any, patient: Any, dated: Any = None
    ) -> AccessGrantQuerySet:
        """Those by which that doctor may see that category of that patient's data, and, for
        what has a day of its own, what is of that day. Each may be an expression."""
        found = self.in_force().filter(
            connection__doctor_id=to.pk,
            connection__patient_id=patient,
            categories__contains=_array_of(category),
        )
        if dated is not None:
            found = found.filter(models.Q(data_from=None) | models.Q(data_from__lte=dated))
        return found

    def between(self, doctor: Any, patient_id: Any) -> AccessGrantQuerySet:
        """The one by which that doctor, in good standing, sees something of that patient's."""
        if not is_active(doctor, role=Role.DOCTOR):
            return self.none()
        return self.in_force().filter(
            connection__doctor_id=doctor.pk, connection__patient_id=patient_id
        )

    def with_time_left(self) -> AccessGrantQuerySet:
        """Each with its `time_left`, None where it has no end. The clock of the database alone
        says when a grant is over; who waits for that is told how long, for clocks differ."""
        left = models.ExpressionWrapper(
            models.F("ends_at") - Now(), output_field=models.DurationField()
        )
        return self.annotate(time_left=left)  # type: ignore[no-redef]

    def ending_soon(self, at: dt.datetime) -> AccessGrantQuerySet:
        """Those whose end is near, and whose patient has not been told of it."""
        soon = at + AccessGrant.TOLD_BEFORE
        told_since = models.F("ends_at") - AccessGrant.TOLD_BEFORE
        return self.in_force().filter(
            models.Q(prompted_at=None) | models.Q(prompted_at__lt=told_since),
            ends_at__gt=at,
            ends_at__lte=soon,
        )

    def dormant(self, at: dt.datetime) -> AccessGrantQuerySet:
        """Those neither made nor used nor asked about for long."""
        before = at - AccessGrant.DORMANT_AFTER
        return self.in_force().filter(
            models.Q(last_used_at=None) | models.Q(last_used_at__lt=before),
            models.Q(prompted_at=None) | models.Q(prompted_at__lt=before),
            created_at__lt=before,
        )

    def with_people(self) -> AccessGrantQuerySet:
        return self.select_related(
            "connection__patient", "connection__doctor__doctor_profile__specialization"
        )


class AccessGrant(Terms, BaseModel):
    """A patient's consent that one connected doctor sees some of their data; FHIR `Consent`.

    Its terms never change: another choice is another grant, and the one before ends. So the log
    can say what was allowed when. It reads nothing once its time is over, the connection has
    ended, or the doctor's account is not in good standing.
    """

    DORMANT_AFTER = dt.timedelta(days=180)
    TOLD_BEFORE = dt.timedelta(days=7)

    class EndReason(models.TextChoices):
        REPLACED = "REPLACED", _("Replaced by another choice")
        REVOKED = "REVOKED", _("Taken back")
        CONNECTION_ENDED = "CONNECTION_ENDED", _("The connection ended")
        ANONYMISED = "ANONYMISED", _("One of the two was anonymised")

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="grants")
    # When the doctor last read something by it; kept to the day.
    last_used_at = models.DateTimeField(null=True, blank=True)
    # When the patient was told that it ends soon, or asked whether it is still wanted.
    prompted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    end_reason = models.CharField(max_length=16, choices=EndReason, blank=True)

    objects = AccessGrantQuerySet.as_manager()

    # What `with_time_left` adds.
    time_left: dt.timedelta | None

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["connection", "-id"], name="grant_by_connection"),
            models.Index(
                fields=["ends_at"], condition=models.Q(ended_at=None), name="grant_by_end"
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["connection"], condition=models.Q(ended_at=None), name="grant_one_standing"
            ),
            models.CheckConstraint(
                condition=models.Q(categories__len__gt=0)
                & models.Q(categories__contained_by=DataCategory.values),
                name="grant_of_known_categories",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None, ended_by=None, end_reason="")
                | models.Q(ended_at__isnull=False, ended_by__isnull=False)
                & ~models.Q(end_reason=""),
                name="grant_ended_by_someone",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose__in=Purpose), name="grant_purpose_known"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(
                name="keeps_its_terms",
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "connection_id", "categories", "data_from", "ends_at", "purpose"
                ),
            ),
            pgtrigger.Protect(name="is_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="ends_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__ended_at__isnull=False),
            ),
            pgtrigger.Trigger(
                name="needs_connection",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    PERFORM FROM connections_connection
                    WHERE id = NEW.connection_id AND status = 'ACTIVE' FOR SHARE;
                    IF NOT FOUND AND NEW.ended_at IS NULL THEN
                        RAISE EXCEPTION 'Only who is connected is let see anything.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def patient_id(self) -> UUID:
        """Whose data it opens."""
        return self.connection.patient_id

    def is_in_force(self, at: dt.datetime) -> bool:
        """Whether it opens anything at that moment: its time is not over, the connection stands,
        and the doctor's account is in good standing."""
        stands = self.ended_at is None and not self.has_run_out(at)
        connection = self.connection
        return stands and connection.is_active and connection.doctor.is_in_good_standing

    def has_run_out(self, at: dt.datetime) -> bool:
        """Whether its time is over, by itself."""
        return self.ends_at is not None and self.ends_at <= at


def readable(
    rows: Rows,
    *,
    user: Any,
    category: Any,
    patient: str = "patient_id",
    dated: Any = None,
    also: models.Q | None = None,
) -> Rows:
    """The rows of a patient's data that this user may read: the one rule of API, pages, sockets
    and files.

    Patients read their own. A doctor in good standing reads what a grant in force opens, and
    `also` what the table itself gives them, such as what they wrote. Nobody else reads anything;
    an administrator's role opens no clinical row. `category` is a `DataCategory` or an expression
    over the row; so is `dated`, the day a row is of.
    """
    if is_active(user, role=Role.PATIENT):
        return rows.filter(**{patient: user.pk})
    if not is_active(user, role=Role.DOCTOR):
        return rows.none()
    opened = AccessGrant.objects.opening(
        category, to=user, patient=models.OuterRef(patient), dated=dated
    )
    return rows.filter(models.Exists(opened) | (also or models.Q(pk__in=[])))


def _array_of(category: Any) -> Any:
    """A category as an array of one, for the database."""
    if isinstance(category, str):
        return [category]
    return models.Func(
        category,
        template="ARRAY[%(expressions)s]::varchar(20)[]",
        output_field=ArrayField(models.CharField(max_length=20)),
    )
