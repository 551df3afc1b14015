"""Tokens that are shown as QR codes."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel


class QrTokenQuerySet(models.QuerySet["QrToken"]):
    def visible_to(self, user: Any) -> QrTokenQuerySet:
        """A token is its issuer's."""
        return self.filter(issuer_id=user.pk)

    def usable(self, at: dt.datetime) -> QrTokenQuerySet:
        """Neither used, nor revoked, nor expired."""
        return self.filter(used_at=None, revoked_at=None, expires_at__gt=at)

    def stale(self, at: dt.datetime) -> QrTokenQuerySet:
        """Those that nobody asks about any more."""
        return self.filter(expires_at__lt=at - QrToken.KEPT_FOR)


class QrToken(BaseModel):
    """A doctor's invitation to connect: single use, short-lived.

    Two secrets open it, and only digests of them are kept: 256 bits in the QR code, and a
    ten-character code for whoever has to type. The short one is a keyed digest, and its use
    is rate-limited and ends with the token, minutes later (ADR 5).
    """

    SHORTEST = dt.timedelta(minutes=1)
    DEFAULT = dt.timedelta(minutes=5)
    LONGEST = dt.timedelta(minutes=60)
    KEPT_FOR = dt.timedelta(days=7)

    class Type(models.TextChoices):
        CONNECTION = "CONNECTION", _("Connection")

    class State(models.TextChoices):
        ACTIVE = "ACTIVE", _("Valid")
        USED = "USED", _("Used")
        REVOKED = "REVOKED", _("Withdrawn")
        EXPIRED = "EXPIRED", _("Expired")

    type = models.CharField(_("type"), max_length=12, choices=Type, default=Type.CONNECTION)
    issuer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="qr_tokens",
        verbose_name=_("shown by"),
    )
    secret_digest = models.CharField(max_length=64, unique=True)
    code_digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(_("expires"))
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    revoked_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    objects = QrTokenQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name = _("QR code")
        verbose_name_plural = _("QR codes")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["issuer", "-id"], name="qr_by_issuer"),
            models.Index(fields=["expires_at"], name="qr_by_expiry"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(used_at=None, used_by=None)
                | models.Q(used_at__isnull=False, used_by__isnull=False, revoked_at=None),
                name="qr_used_by_someone",
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"

    def state(self, at: dt.datetime) -> State:
        if self.used_at:
            return self.State.USED
        if self.revoked_at:
            return self.State.REVOKED
        return self.State.EXPIRED if self.expires_at <= at else self.State.ACTIVE


class QrSightingQuerySet(models.QuerySet["QrSighting"]):
    def visible_to(self, user: Any) -> QrSightingQuerySet:
        """Whose code was looked at."""
        return self.filter(token__issuer_id=user.pk)

    def undecided(self, at: dt.datetime) -> QrSightingQuerySet:
        """Of codes that still wait for somebody to connect."""
        usable = QrToken.objects.usable(at)
        return self.filter(token__in=usable)


class QrSighting(BaseModel):
    """A patient scanned a code and sees whose it is; whether they connect, they have yet to say.
    Once for each person and code, and gone with the code."""

    token = models.ForeignKey(QrToken, on_delete=models.CASCADE, related_name="sightings")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = QrSightingQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["token", "person"], name="qr_seen_once")
        ]

    def __str__(self) -> str:
        return str(self.pk)
