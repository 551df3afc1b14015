"""What people ask to be given: a copy of everything kept about them."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar
from uuid import uuid4

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.users import User
from common.models import BaseModel


def export_path(instance: models.Model, filename: str) -> str:
    """A random key: whose copy it is never shows in storage."""
    return f"exports/{uuid4().hex}"


class DataExportQuerySet(models.QuerySet["DataExport"]):
    def visible_to(self, user: Any) -> DataExportQuerySet:
        return self.filter(user_id=user.pk)

    def unfinished(self) -> DataExportQuerySet:
        return self.filter(status__in=[DataExport.Status.REQUESTED, DataExport.Status.RUNNING])

    def due(self, at: dt.datetime) -> DataExportQuerySet:
        """Asked for, or left behind by a worker that died."""
        return self.filter(status=DataExport.Status.REQUESTED) | self.stale(at)

    def stale(self, at: dt.datetime) -> DataExportQuerySet:
        """Claimed by a worker that has not been heard of since."""
        return self.filter(
            status=DataExport.Status.RUNNING, claimed_at__lt=at - DataExport.CLAIM_LASTS
        )

    def used_up(self, at: dt.datetime) -> DataExportQuerySet:
        """Left behind by the last worker that was to try."""
        return self.stale(at).filter(attempts__gte=DataExport.MAX_ATTEMPTS)

    def expired(self, at: dt.datetime) -> DataExportQuerySet:
        """Kept long enough."""
        return self.filter(status=DataExport.Status.READY, expires_at__lte=at)

    def counted(self, at: dt.datetime) -> DataExportQuerySet:
        """Those of the last day; what could not be made does not count."""
        return self.filter(created_at__gt=at - dt.timedelta(days=1)).exclude(
            status=DataExport.Status.FAILED
        )


class DataExport(BaseModel):
    """One copy of a person's own data, made by a worker and kept for a week.

    A worker claims it by a conditional UPDATE and renews the claim with every part it finishes;
    `attempts` tells one claim from the next.
    """

    LASTS = dt.timedelta(days=7)
    CLAIM_LASTS = dt.timedelta(minutes=5)
    MAX_ATTEMPTS = 3
    MOST_A_DAY = 3

    class Status(models.TextChoices):
        REQUESTED = "REQUESTED", _("waiting")
        RUNNING = "RUNNING", _("being prepared")
        READY = "READY", _("ready")
        FAILED = "FAILED", _("could not be made")
        EXPIRED = "EXPIRED", _("deleted")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="data_exports")
    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED)
    done_parts = models.PositiveSmallIntegerField(default=0)
    all_parts = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    file = models.FileField(upload_to=export_path, blank=True)
    size = models.PositiveBigIntegerField(null=True)
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    objects = DataExportQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(status__in=["REQUESTED", "RUNNING"]),
                name="data_export_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return self.get_status_display()

    @property
    def file_name(self) -> str:
        """Under which it is saved: the day it was asked for, and nobody's name."""
        return f"medisync-{self.created_at:%Y-%m-%d}.zip"

    @property
    def is_unfinished(self) -> bool:
        return self.status in (self.Status.REQUESTED, self.Status.RUNNING)

    def is_over(self, at: dt.datetime) -> bool:
        """Its week has passed, whether or not the file is deleted yet."""
        return self.expires_at is not None and self.expires_at <= at


class AccountListExport(BaseModel):
    """An administrator took a list of accounts out of here: who, when, and how many people were
    on it. Of the filters only the names are kept, for what was searched for may be a name."""

    taken_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    filters = models.JSONField(default=list)
    row_count = models.PositiveIntegerField()

    class Meta:
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return str(self.row_count)
