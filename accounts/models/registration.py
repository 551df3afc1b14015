"""On the way in, back in, or to another address: what waits for a code from a mail."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.db import models

from accounts.models.users import OPEN_ROLES, Language, User
from common import crypto
from common.models import BaseModel


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def open(self, at: dt.datetime) -> RegistrationQuerySet:
        """Those that can still be continued."""
        return self.filter(expires_at__gt=at)

    def abandoned(self, at: dt.datetime) -> RegistrationQuerySet:
        """Those that nobody went on with; one that made a user is kept with that user."""
        return self.filter(expires_at__lte=at, user=None)

    def known(self, at: dt.datetime) -> RegistrationQuerySet:
        """Those whose status can be asked: open ones, and those that made a user."""
        return self.filter(models.Q(expires_at__gt=at) | models.Q(user__isnull=False))


class Registration(BaseModel):
    """Someone on the way to an account. No user exists until the address is proven, so
    nobody can occupy another person's address."""

    LASTS = dt.timedelta(hours=24)

    class Step(models.TextChoices):
        INIT = "INIT"
        PENDING_EMAIL_VERIFICATION = "PENDING_EMAIL_VERIFICATION"
        EMAIL_VERIFIED = "EMAIL_VERIFIED"

    role = models.CharField(max_length=10, choices=OPEN_ROLES)
    status = models.CharField(max_length=30, choices=Step, default=Step.INIT)
    email = models.EmailField(blank=True)
    password = models.CharField(max_length=128, blank=True)
    first_name = models.CharField(max_length=User.NAME_LENGTH, blank=True)
    last_name = models.CharField(max_length=User.NAME_LENGTH, blank=True)
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    user = models.OneToOneField(
        User, on_delete=models.CASCADE, null=True, related_name="registration"
    )
    expires_at = models.DateTimeField()

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # Those that made a user are kept, and never looked for by when they would have expired.
            models.Index(
                fields=["expires_at"],
                condition=models.Q(user=None),
                name="registration_expiry",
            ),
            models.Index(fields=["created_at"], name="registration_by_beginning"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(role__in=["PATIENT", "DOCTOR"]),
                name="registration_role_open",
            ),
            models.CheckConstraint(
                condition=models.Q(status="EMAIL_VERIFIED", user__isnull=False, password="")
                | (~models.Q(status="EMAIL_VERIFIED") & models.Q(user=None)),
                name="registration_user_once_verified",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.status}"


class PasswordResetQuerySet(models.QuerySet["PasswordReset"]):
    def awaiting_code(self, at: dt.datetime) -> PasswordResetQuerySet:
        """Those whose code can still be typed, or sent again."""
        return self.filter(expires_at__gt=at, reset_digest=None, used_at=None)

    def unprepared(self, at: dt.datetime) -> PasswordResetQuerySet:
        """Those that no worker has looked at since they were asked for."""
        return self.awaiting_code(at).filter(prepared_at=None)

    def with_token(self, token: str, at: dt.datetime) -> PasswordResetQuerySet:
        """The one that this token stands for, if it still does."""
        return self.filter(reset_digest=crypto.digest(token), reset_expires_at__gt=at, used_at=None)


class PasswordReset(BaseModel):
    """Somebody says they forgot the password of an address.

    A row is written for every address, known or not; a worker looks up afterwards whose it is,
    so the answer costs the same time for both. `reset_digest` is that of the token that the
    right code is traded for.
    """

    LASTS = dt.timedelta(minutes=30)
    TOKEN_LASTS = dt.timedelta(minutes=10)

    email = models.EmailField()
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, related_name="password_resets"
    )
    # When a code was last asked for, and when a worker answered that; null until one does.
    asked_at = models.DateTimeField()
    prepared_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    reset_digest = models.CharField(max_length=64, unique=True, null=True, blank=True)
    reset_expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    objects = PasswordResetQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="password_reset_expiry"),
            models.Index(
                fields=["asked_at"],
                condition=models.Q(prepared_at=None),
                name="password_reset_unprepared",
            ),
        ]

    def __str__(self) -> str:
        return "password reset"


class EmailChangeQuerySet(models.QuerySet["EmailChange"]):
    def open(self, at: dt.datetime) -> EmailChangeQuerySet:
        """Those whose code can still be typed, or sent again."""
        return self.filter(expires_at__gt=at, used_at=None)


class EmailChange(BaseModel):
    """A user on the way to another address, which must be proven first."""

    LASTS = dt.timedelta(minutes=30)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="email_changes")
    email = models.EmailField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = EmailChangeQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="email_change_expiry")
        ]

    def __str__(self) -> str:
        return "e-mail change"


CodeHolder = Registration | PasswordReset | EmailChange


class OneTimeCodeQuerySet(models.QuerySet["OneTimeCode"]):
    def of(self, holder: CodeHolder) -> OneTimeCodeQuerySet:
        """The code that a registration, reset or change waits for."""
        return self.filter(**OneTimeCode.holds(holder))


class OneTimeCode(BaseModel):
    """Six digits sent to one address for one purpose; only a keyed digest is kept."""

    LASTS = dt.timedelta(minutes=10)
    TRIES = 5
    RESEND_AFTER = dt.timedelta(seconds=60)

    registration = models.OneToOneField(
        Registration, on_delete=models.CASCADE, null=True, related_name="code"
    )
    password_reset = models.OneToOneField(
        PasswordReset, on_delete=models.CASCADE, null=True, related_name="code"
    )
    email_change = models.OneToOneField(
        EmailChange, on_delete=models.CASCADE, null=True, related_name="code"
    )
    digest = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries_left = models.PositiveSmallIntegerField(default=TRIES)
    used_at = models.DateTimeField(null=True)

    objects = OneTimeCodeQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(
                    registration__isnull=False, password_reset=None, email_change=None
                )
                | models.Q(registration=None, password_reset__isnull=False, email_change=None)
                | models.Q(registration=None, password_reset=None, email_change__isnull=False),
                name="one_time_code_has_one_holder",
            )
        ]

    def __str__(self) -> str:
        return "one-time code"

    @staticmethod
    def holds(holder: CodeHolder) -> dict[str, Any]:
        """The column that points to the holder, as a filter."""
        names = {
            Registration: "registration",
            PasswordReset: "password_reset",
            EmailChange: "email_change",
        }
        return {f"{names[type(holder)]}_id": holder.pk}
