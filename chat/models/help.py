"""What helps a doctor to answer: prepared replies, and a notice while away."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from chat.models.messages import Message
from common.models import BaseModel


class CannedReplyQuerySet(models.QuerySet["CannedReply"]):
    def visible_to(self, user: Any) -> CannedReplyQuerySet:
        """A doctor's own."""
        return self.filter(doctor_id=user.pk) if user.is_authenticated else self.none()


class CannedReply(BaseModel):
    """Words under a title, to begin a message with. Of no patient."""

    MOST = 50
    TITLE_LENGTH = 80

    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="canned_replies"
    )
    title = models.CharField(_("title"), max_length=TITLE_LENGTH)
    content = models.TextField(_("text"), max_length=Message.MAX_LENGTH)

    objects = CannedReplyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[Any]] = [Lower("title"), "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("doctor", Lower("title"), name="reply_title_once"),
            models.CheckConstraint(
                condition=~models.Q(title="") & ~models.Q(content=""), name="reply_says_something"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def visible_to(self, user: Any) -> AbsenceQuerySet:
        """A doctor's own. Patients read it in the chat, once it has begun (`current`)."""
        return self.filter(doctor_id=user.pk) if user.is_authenticated else self.none()

    def current(self, at: dt.datetime) -> AbsenceQuerySet:
        return self.filter(starts_at__lte=at, ends_at__gt=at)


class Absence(BaseModel):
    """From when until when a doctor does not answer, and what patients are told meanwhile.
    A doctor has one at most; the next takes its place."""

    NOTICE_LENGTH = 500

    doctor = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="absence"
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    notice = models.TextField(_("notice"), max_length=NOTICE_LENGTH, blank=True)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(starts_at__lt=models.F("ends_at")), name="absence_in_order"
            ),
        ]

    def __str__(self) -> str:
        return str(self.doctor_id)

    def is_current(self, at: dt.datetime) -> bool:
        return self.starts_at <= at < self.ends_at
