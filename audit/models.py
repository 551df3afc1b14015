"""The access log."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel


class AccessEvent(BaseModel):
    """One act on one patient's data, written in the transaction of the act itself.

    People are named by id, so the log needs no other table and outlives every account. A
    pharmacist without an account is an event without an actor.
    """

    class Action(models.TextChoices):
        CONNECTED = "CONNECTED", _("connected")
        CONNECTION_ENDED = "CONNECTION_ENDED", _("ended the connection")
        ISSUED = "ISSUED", _("issued")
        READ = "READ", _("read")
        DOWNLOADED = "DOWNLOADED", _("downloaded")
        VERIFIED = "VERIFIED", _("verified")

    patient_id = models.UUIDField()
    actor_id = models.UUIDField(null=True)
    action = models.CharField(max_length=20, choices=Action)
    object_type = models.CharField(max_length=40)
    object_id = models.UUIDField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient_id", "-id"], name="access_by_patient")
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type}"
