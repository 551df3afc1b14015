"""Where people are signed in, how they got there, and who is kept out for a while."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar
from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.users import User
from common.models import BaseModel


class Factor(models.TextChoices):
    """What was shown beside the password."""

    TOTP = "TOTP", _("authenticator app")
    RECOVERY_CODE = "RECOVERY_CODE", _("recovery code")
    PASSKEY = "PASSKEY", _("passkey")


class SignInMethod(models.TextChoices):
    """How a session began."""

    PASSWORD = "PASSWORD", _("password")
    REGISTRATION = "REGISTRATION", _("registration")
    GOOGLE = "GOOGLE", _("Google")
    PASSKEY = "PASSKEY", _("passkey")
    PASSWORD_RESET = "PASSWORD_RESET", _("new password")


class DeviceSessionQuerySet(models.QuerySet["DeviceSession"]):
    def live(self, at: dt.datetime) -> DeviceSessionQuerySet:
        """Neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=at)

    def visible_to(self, user: Any) -> DeviceSessionQuerySet:
        return self.filter(user_id=user.pk)

    def forgettable(self, at: dt.datetime) -> DeviceSessionQuerySet:
        """Those that ended long ago, but for the last of each account: without it, whoever
        comes back after a while would not be told of a new device, for it would be their first.

        A device not used for as long is not known again.
        """
        before = at - DeviceSession.KEPT_FOR
        later = DeviceSession.objects.filter(
            user=models.OuterRef("user"), pk__gt=models.OuterRef("pk")
        )
        return self.filter(
            models.Q(revoked_at__lt=before) | models.Q(expires_at__lt=before),
            models.Exists(later),
        )


class DeviceSession(BaseModel):
    """One sign-in on one device: the row behind a token pair or a portal cookie."""

    # Why one ended whose person left by themselves; whoever was shown out is a stranger next time.
    SIGNED_OUT = "signed_out"

    LASTS = dt.timedelta(days=7)
    # How long one that has ended is remembered.
    KEPT_FOR = dt.timedelta(days=90)
    # A client whose answer got lost may present the spent refresh token again for so long.
    REFRESH_GRACE = dt.timedelta(seconds=10)

    # How long "it is me" counts, for what could do harm in the wrong hands.
    CONFIRMATION_LASTS = dt.timedelta(minutes=10)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="device_sessions")
    method = models.CharField(max_length=20, choices=SignInMethod)
    factor = models.CharField(max_length=20, choices=Factor, blank=True)
    device_name = models.CharField(max_length=100, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    ip_address = models.GenericIPAddressField()
    # Of the secret that the browser or app is known again by; empty where it keeps none.
    device_digest = models.CharField(max_length=64, blank=True)
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # When the person last showed that it is them: at sign-in, or asked again since.
    confirmed_at = models.DateTimeField()
    refresh_id = models.UUIDField(default=uuid4)
    previous_refresh_id = models.UUIDField(null=True)
    rotated_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.CharField(max_length=40, blank=True)

    objects = DeviceSessionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-last_seen_at"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["user", "-last_seen_at"],
                condition=models.Q(revoked_at=None),
                name="session_live_by_user",
            ),
            models.Index(fields=["user", "device_digest", "-id"], name="session_device_by_user"),
        ]

    def __str__(self) -> str:
        return self.device_name or self.user_agent or self.ip_address

    def is_confirmed(self, at: dt.datetime) -> bool:
        """Whether its person has shown a short while ago that it is them."""
        return at < self.confirmed_at + self.CONFIRMATION_LASTS


class PendingSignInQuerySet(models.QuerySet["PendingSignIn"]):
    def open(self, at: dt.datetime) -> PendingSignInQuerySet:
        """Those whose second factor is still waited for."""
        return self.filter(used_at=None, expires_at__gt=at)


class PendingSignIn(BaseModel):
    """The first factor was right, the second is waited for. It opens nothing by itself."""

    LASTS = dt.timedelta(minutes=10)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="pending_sign_ins")
    method = models.CharField(max_length=20, choices=SignInMethod)
    # The account elsewhere that is to be linked once the second factor is shown.
    link_issuer = models.CharField(max_length=200, blank=True)
    link_subject = models.CharField(max_length=255, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = PendingSignInQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="pending_sign_in_expiry")
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.expires_at}"


class AttemptCount(BaseModel):
    """How often somebody has guessed in vain at one account or from one address.

    The key is a keyed digest: the table tells neither whose account nor which address, and an
    address without an account has a row like any other. Each attempt is counted before it is
    judged, so many at once are no more than many in a row.
    """

    # The first wait after the free tries, doubled by every further failure.
    FIRST_WAIT = dt.timedelta(seconds=30)
    LONGEST_WAIT = dt.timedelta(minutes=15)
    FORGOTTEN_AFTER = dt.timedelta(hours=24)

    key = models.CharField(max_length=64, unique=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["last_at"], name="attempt_count_age")
        ]

    def __str__(self) -> str:
        return f"{self.failures}"

    def count(self, *, at: dt.datetime, free_tries: int) -> None:
        """One more attempt; past the free ones, the next has to wait."""
        if at > self.last_at + self.FORGOTTEN_AFTER:
            self.failures = 0
        self.failures, self.last_at = self.failures + 1, at
        over = self.failures - free_tries
        if over >= 0:
            # Ten doublings are past the longest wait.
            wait = min(self.LONGEST_WAIT, self.FIRST_WAIT * 2 ** min(over, 10))
            self.locked_until = at + wait
