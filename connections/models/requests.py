"""A patient's request to be connected with a doctor."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar
from uuid import uuid4

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel
from connections.models.connections import Connection
from connections.models.grants import DataCategory, Purpose, Terms

LASTS = dt.timedelta(days=30)
IMAGE_FOLDER = "requests"


def image_path(request: ConnectionRequest, filename: str) -> str:
    """A random key; what the file was called is nobody's business."""
    return f"{IMAGE_FOLDER}/{uuid4().hex}"


def end_of_request() -> dt.datetime:
    return timezone.now() + LASTS


class ConnectionRequestQuerySet(models.QuerySet["ConnectionRequest"]):
    def visible_to(self, user: Any) -> ConnectionRequestQuerySet:
        """The patient who asked and the doctor who was asked."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(models.Q(patient_id=user.pk) | models.Q(doctor_id=user.pk))

    def readable_by(self, user: Any) -> ConnectionRequestQuerySet:
        """Those whose content this user may read: the words, the picture, and what would be
        shared. The patient always; the doctor while it waits, and then while the connection
        lasts that was made by it: who connects again chooses again."""
        return self.visible_to(user).filter(_readable_by(user))

    def image_visible_to(self, user: Any) -> ConnectionRequestQuerySet:
        """Those whose picture this user may look at."""
        return self.readable_by(user).exclude(image="")

    def seen_by(self, user: Any) -> ConnectionRequestQuerySet:
        """Those that this user may know of, each with `is_readable`."""
        is_readable = models.ExpressionWrapper(
            _readable_by(user), output_field=models.BooleanField()
        )
        return self.visible_to(user).annotate(is_readable=is_readable)  # type: ignore[no-redef]

    def pending(self) -> ConnectionRequestQuerySet:
        """Those without an answer. One whose time is over is among them until a job says so."""
        return self.filter(status=ConnectionRequest.Status.PENDING)

    def waiting(self, at: dt.datetime) -> ConnectionRequestQuerySet:
        """Those that can be answered."""
        return self.pending().filter(expires_at__gt=at)

    def over(self, at: dt.datetime) -> ConnectionRequestQuerySet:
        """Those that cannot be answered any more."""
        is_pending = models.Q(status=ConnectionRequest.Status.PENDING)
        return self.filter(~is_pending | models.Q(expires_at__lte=at))

    def in_state(self, state: str, at: dt.datetime) -> ConnectionRequestQuerySet:
        """Those of one `state`."""
        if state == ConnectionRequest.Status.PENDING:
            return self.waiting(at)
        if state == ConnectionRequest.Status.EXPIRED:
            return self.over(at).filter(status__in=[ConnectionRequest.Status.PENDING, state])
        return self.filter(status=state)

    def overdue(self, at: dt.datetime) -> ConnectionRequestQuerySet:
        """Those that nobody answered in time."""
        return self.pending().filter(expires_at__lte=at)

    def with_people(self) -> ConnectionRequestQuerySet:
        return self.select_related("patient", "doctor__doctor_profile__specialization")


class ConnectionRequest(Terms, BaseModel):
    """One patient asks one doctor, with what they would let the doctor see once connected.

    One pending request a pair. An answer is final: who is rejected may ask again.
    """

    NOTES_LENGTH = 1000
    REASON_LENGTH = 500
    SHORTEST_REASON = 10

    class Status(models.TextChoices):
        PENDING = "PENDING", _("Waiting for an answer")
        ACCEPTED = "ACCEPTED", _("Accepted")
        REJECTED = "REJECTED", _("Declined")
        CANCELLED = "CANCELLED", _("Withdrawn")
        EXPIRED = "EXPIRED", _("Expired")

    patient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="requests_sent"
    )
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="requests_received"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    notes = models.CharField(_("notes"), max_length=NOTES_LENGTH, blank=True)
    image = models.FileField(
        _("picture of an earlier prescription"), upload_to=image_path, blank=True
    )
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH, blank=True)
    expires_at = models.DateTimeField(default=end_of_request)
    # By either of the two, or who closes an account for good; nobody decides that it expires.
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = ConnectionRequestQuerySet.as_manager()

    # What `seen_by` adds.
    is_readable: bool

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient", "-id"], name="request_by_patient"),
            models.Index(fields=["doctor", "status", "-id"], name="request_by_doctor"),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(status="PENDING"),
                name="request_by_expiry",
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["patient", "doctor"],
                condition=models.Q(status="PENDING"),
                name="request_one_pending_per_pair",
            ),
            models.CheckConstraint(
                condition=~models.Q(patient=models.F("doctor")), name="request_of_two"
            ),
            models.CheckConstraint(
                condition=models.Q(status="PENDING", decided_at=None, decided_by=None)
                | models.Q(status="EXPIRED", decided_at__isnull=False, decided_by=None)
                | models.Q(
                    status__in=["ACCEPTED", "REJECTED", "CANCELLED"],
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                ),
                name="request_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=models.Q(reason="") & ~models.Q(status="REJECTED")
                | models.Q(status="REJECTED", reason__regex="^.{10}"),
                name="request_rejected_with_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(categories__contained_by=DataCategory.values),
                name="request_of_known_categories",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose__in=Purpose), name="request_purpose_known"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(
                name="answered_for_good",
                operation=pgtrigger.UpdateOf("status"),  # type: ignore[no-untyped-call]
                condition=~pgtrigger.Q(old__status="PENDING"),
            ),
            pgtrigger.Trigger(
                name="of_the_unconnected",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    PERFORM FROM connections_connection
                    WHERE patient_id = NEW.patient_id AND doctor_id = NEW.doctor_id
                        AND status <> 'INACTIVE' FOR SHARE;
                    IF FOUND AND NEW.status = 'PENDING' THEN
                        RAISE EXCEPTION 'Who is connected or blocked does not ask.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def image_name(self) -> str:
        """What the picture is called on its way out."""
        return f"request-{self.created_at:%Y-%m-%d}.jpg"

    @property
    def is_pending(self) -> bool:
        return self.status == self.Status.PENDING

    def is_open(self, at: dt.datetime) -> bool:
        """Whether it can be answered: it waits, and its time is not over."""
        return self.is_pending and self.expires_at > at

    def state(self, at: dt.datetime) -> Status:
        """Its status; expired as soon as its time is over, whenever a job writes that down."""
        if self.is_pending and not self.is_open(at):
            return self.Status.EXPIRED
        return self.Status(self.status)


def _readable_by(user: Any) -> models.Q:
    connected = Connection.objects.active().filter(
        patient=models.OuterRef("patient"),
        doctor=models.OuterRef("doctor"),
        connected_at__lte=models.OuterRef("decided_at"),
    )
    is_waiting = models.Q(status="PENDING", expires_at__gt=timezone.now())
    is_of_connection = models.Q(models.Exists(connected), status="ACCEPTED")
    return models.Q(patient_id=user.pk) | is_waiting | is_of_connection
