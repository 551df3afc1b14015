"""Notifications, what each person wants of them, and the outbox of e-mails."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import TruncMinute
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common import counts
from common.fields import EncryptedTextField
from common.models import BaseModel
from notifications.wording import WORDING, Kind


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: Any) -> NotificationQuerySet:
        """A notification is its recipient's alone."""
        return self.filter(recipient_id=user.pk)

    def unread(self) -> NotificationQuerySet:
        return self.filter(read_at=None)

    def counted(self) -> int:
        """How many there are; `COUNTED_TO` stands for that many or more."""
        return self[: Notification.COUNTED_TO].count()

    def with_about(self) -> NotificationQuerySet:
        """Together with whom they are about, for lists that show their titles."""
        return self.select_related("about")

    def forgettable(self, at: dt.datetime) -> NotificationQuerySet:
        """Read, and long ago."""
        return self.filter(read_at__lt=at - Notification.KEPT_FOR)


class Notification(BaseModel):
    """One thing one person is told. Its words are put together when it is read, in the
    reader's language, from the kind, the person it is about and the context; no name is kept,
    so whoever is anonymised is nameless here, too."""

    KEPT_FOR = dt.timedelta(days=365)
    COUNTED_TO = counts.COUNTED_TO

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="notifications",
        db_index=False,  # `notification_feed` is one
    )
    kind = models.CharField(max_length=40, choices=Kind)
    about = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    context = models.JSONField(default=dict)
    url = models.CharField(max_length=200)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["recipient", "-id"], name="notification_feed"),
            models.Index(
                fields=["recipient", "-id"],
                condition=models.Q(read_at=None),
                name="notification_unread",
            ),
            models.Index(
                fields=["read_at"],
                condition=models.Q(read_at__isnull=False),
                name="notification_read",
            ),
        ]

    def __str__(self) -> str:
        return self.kind

    @property
    def title(self) -> str:
        words: str = str(WORDING[self.kind].title)
        name = self.about.display_name if self.about else gettext("someone")
        return str(words % (self.context | {"name": name}))


class Preferences(BaseModel):
    """How somebody wants to be told of what is not mandatory. Only exceptions are stored: who
    has no row, and every event that is not named, gets everything at any hour."""

    MINUTE = dt.timedelta(minutes=1)

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    no_email = ArrayField(models.CharField(max_length=40, choices=Kind), default=list, blank=True)
    no_live = ArrayField(models.CharField(max_length=40, choices=Kind), default=list, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | (
                    models.Q(quiet_from__isnull=False, quiet_until__isnull=False)
                    & ~models.Q(quiet_from=models.F("quiet_until"))
                ),
                name="quiet_hours_have_two_ends",
            ),
            # Between seconds, all of a day's minutes could be quiet.
            models.CheckConstraint(
                condition=models.Q(
                    quiet_from=TruncMinute("quiet_from"), quiet_until=TruncMinute("quiet_until")
                ),
                name="quiet_hours_are_of_minutes",
            ),
        ]

    def is_quiet(self, at: dt.datetime, zone: ZoneInfo) -> bool:
        """Whether a clock on the person's wall shows one of their quiet hours."""
        if self.quiet_from is None or self.quiet_until is None:
            return False
        clock = timezone.localtime(at, zone).time()
        if self.quiet_from < self.quiet_until:
            return self.quiet_from <= clock < self.quiet_until
        return clock >= self.quiet_from or clock < self.quiet_until

    def next_loud(self, at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
        """The first minute, now or later, that is not quiet.

        Minutes are tried one by one: of the hour that a clock skips in spring, or shows twice
        in autumn, every shorter way has a tale of its own, and a day has 1,440.
        """
        if not self.is_quiet(at, zone):
            return at
        minute = at.replace(second=0, microsecond=0)
        while self.is_quiet(minute, zone):
            minute += self.MINUTE
        return minute


class EmailDeliveryQuerySet(models.QuerySet["EmailDelivery"]):
    def pending(self) -> EmailDeliveryQuerySet:
        return self.filter(status__in=EmailDelivery.PENDING)

    def in_line(self) -> EmailDeliveryQuerySet:
        """As they leave: when they might first go, then in the order they were made."""
        return self.order_by("release_at", "pk")

    def in_turn(self) -> EmailDeliveryQuerySet:
        """Bound to no order, or the first that is pending for its recipient."""
        theirs = EmailDelivery.objects.pending().filter(recipient=models.OuterRef("recipient"))
        first = models.Subquery(theirs.in_line().values("pk")[:1])
        return self.filter(models.Q(recipient=None) | models.Q(pk=first))

    def due(self, at: dt.datetime) -> EmailDeliveryQuerySet:
        """Waiting, and its time has come."""
        return self.filter(status=EmailDelivery.Status.QUEUED, due_at__lte=at)

    def stale(self, at: dt.datetime) -> EmailDeliveryQuerySet:
        """Claimed by a worker that has not come back in the time a task may take."""
        return self.filter(
            status=EmailDelivery.Status.SENDING, claimed_at__lt=at - EmailDelivery.CLAIM_LASTS
        )

    def forgettable(self, at: dt.datetime) -> EmailDeliveryQuerySet:
        """Sent, given up on or withheld, and long past."""
        return self.filter(
            status__in=[
                EmailDelivery.Status.SENT,
                EmailDelivery.Status.FAILED,
                EmailDelivery.Status.WITHHELD,
            ],
            created_at__lt=at - EmailDelivery.KEPT_FOR,
        )


class EmailDelivery(BaseModel):
    """One e-mail owed to one address: the outbox row.

    It is written in the transaction of the event it tells of, so there is never an event
    without its mail or a mail without its event. Its id is the `Message-ID`; an attempt
    repeated after a crash carries the same one, by which mailboxes know a repeat.

    The notifications of one `recipient` leave one after another, in the order in which they
    were made (ADR 17). Without a recipient, as a code is, a mail waits for no other.
    """

    CLAIM_LASTS = dt.timedelta(seconds=60)
    KEPT_FOR = dt.timedelta(days=90)
    MAX_ATTEMPTS = 8

    class Status(models.TextChoices):
        QUEUED = "QUEUED", _("waiting")
        SENDING = "SENDING", _("being sent")
        SENT = "SENT", _("sent")
        FAILED = "FAILED", _("could not be delivered")
        # Whom it was for is anonymised.
        WITHHELD = "WITHHELD", _("withheld")

    PENDING = (Status.QUEUED, Status.SENDING)

    notification = models.OneToOneField(
        Notification, on_delete=models.SET_NULL, null=True, blank=True, related_name="email"
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    to_address = models.EmailField(_("to"))
    language = models.CharField(_("language"), max_length=8)
    kind = models.CharField(_("kind"), max_length=40, choices=Kind)
    url = models.CharField(max_length=200, blank=True)
    # What only the mail may say, such as a code: a JSON object, erased once it is sent.
    secret_context = EncryptedTextField(purpose="notifications.email.context", null=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # When it might first leave: at once, or when quiet hours end. A retry keeps its place.
    release_at = models.DateTimeField()
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
            models.Index(
                fields=["-id"],
                condition=models.Q(status="FAILED"),
                name="email_failed",
            ),
            models.Index(
                fields=["recipient", "release_at", "id"],
                condition=models.Q(status__in=["QUEUED", "SENDING"], recipient__isnull=False),
                name="email_line",
            ),
            # For whoever forgets a person: PostgreSQL looks for the rows of a deleted one, too.
            models.Index(
                fields=["recipient"],
                condition=models.Q(recipient__isnull=False),
                name="email_recipient",
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


class DeliveryAttempt(BaseModel):
    """One time that a worker took an e-mail to the mail server, and what came of it."""

    class Outcome(models.TextChoices):
        ACCEPTED = "ACCEPTED", _("accepted")
        FAILED = "FAILED", _("not accepted")
        # Whether the mail server had it by then, nobody knows.
        LOST = "LOST", _("the worker did not come back")

    delivery = models.ForeignKey(EmailDelivery, on_delete=models.CASCADE, related_name="tries")
    started_at = models.DateTimeField(_("began"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)
    error = models.CharField(_("error"), max_length=200, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(ended_at=None, outcome="")
                | models.Q(ended_at__isnull=False) & ~models.Q(outcome=""),
                name="attempt_ended_with_an_outcome",
            )
        ]

    def __str__(self) -> str:
        return self.outcome


class Unreached(EmailDelivery):
    """E-mails that could not be delivered: the list that administrators work through."""

    class Meta:
        proxy = True
        verbose_name = _("e-mail that could not be delivered")
        verbose_name_plural = _("could not be reached")
