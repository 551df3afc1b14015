"""Notifications and the outbox of e-mails."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.fields import EncryptedTextField
from common.models import BaseModel
from notifications.wording import WORDING, Kind


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: Any) -> NotificationQuerySet:
        """A notification is its recipient's alone."""
        return self.filter(recipient_id=user.pk)

    def unread(self) -> NotificationQuerySet:
        return self.filter(read_at=None)


class Notification(BaseModel):
    """One thing one person is told. Its words are put together when it is read, in the
    reader's language, from the kind and the context."""

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications"
    )
    kind = models.CharField(max_length=40, choices=Kind)
    context = models.JSONField(default=dict)
    url = models.CharField(max_length=200)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["recipient", "-id"], name="notification_feed"),
            models.Index(
                fields=["recipient"],
                condition=models.Q(read_at=None),
                name="notification_unread",
            ),
        ]

    def __str__(self) -> str:
        return self.kind

    @property
    def title(self) -> str:
        words: str = str(WORDING[self.kind].title)
        return str(words % self.context)


class EmailDeliveryQuerySet(models.QuerySet["EmailDelivery"]):
    def due(self, at: dt.datetime) -> EmailDeliveryQuerySet:
        """Waiting, and its time has come."""
        return self.filter(status=EmailDelivery.Status.QUEUED, due_at__lte=at)

    def stale(self, at: dt.datetime) -> EmailDeliveryQuerySet:
        """Claimed by a worker that has not come back in the time a task may take."""
        return self.filter(
            status=EmailDelivery.Status.SENDING, claimed_at__lt=at - EmailDelivery.CLAIM_LASTS
        )


class EmailDelivery(BaseModel):
    """One e-mail owed to one address: the outbox row.

    It is written in the transaction of the event it tells of, so there is never an event
    without its mail or a mail without its event. Its id is the `Message-ID`; an attempt
    repeated after a crash carries the same one, by which mailboxes know a repeat.
    """

    CLAIM_LASTS = dt.timedelta(seconds=60)
    MAX_ATTEMPTS = 8

    class Status(models.TextChoices):
        QUEUED = "QUEUED", _("waiting")
        SENDING = "SENDING", _("being sent")
        SENT = "SENT", _("sent")
        FAILED = "FAILED", _("could not be delivered")

    notification = models.OneToOneField(
        Notification, on_delete=models.SET_NULL, null=True, blank=True, related_name="email"
    )
    to_address = models.EmailField(_("to"))
    language = models.CharField(_("language"), max_length=8)
    kind = models.CharField(_("kind"), max_length=40, choices=Kind)
    url = models.CharField(max_length=200, blank=True)
    # What only the mail may say, such as a code: a JSON object, erased once it is sent.
    secret_context = EncryptedTextField(purpose="notifications.email.context", null=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"))
    published_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=120, unique=True)

    objects = EmailDeliveryQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(status="QUEUED"),
                name="email_due",
            ),
            models.Index(
                fields=["claimed_at"],
                condition=models.Q(status="SENDING"),
                name="email_claimed",
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(status__in=["QUEUED", "SENDING"])
                | models.Q(secret_context=None),
                name="email_done_keeps_no_secret",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"
