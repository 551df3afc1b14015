"""On the way in, back in, or to another address: what waits for a code from a mail."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.db import models

from accounts.models.sessions import DeviceSession
from accounts.models.users import OPEN_ROLES, Language, User
from common import crypto
from common.models import BaseModel
from notifications.models import EmailDelivery


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
        """Those whose code can still be typed, or sent again, as far as whoever asked can tell.
        That another password was chosen meanwhile shows nowhere, for it tells of an account."""
        return self.filter(expires_at__gt=at, reset_digest=None)

    def unprepared(self, at: dt.datetime) -> PasswordResetQuerySet:
        """Those that no worker has looked at since they were asked for."""
        return self.awaiting_code(at).filter(prepared_at=None)

    def with_token(self, token: str, at: dt.datetime) -> PasswordResetQuerySet:
        """The one that this token stands for, if it still does."""
        return self.filter(reset_digest=crypto.digest(token), reset_expires_at__gt=at, used_at=None)

    def with_link(self, secret: str, at: dt.datetime) -> PasswordResetQuerySet:
        """The one whose mail carries the link with this secret, if it still opens anything."""
        return self.filter(link_digest=crypto.digest(secret), link_expires_at__gt=at, used_at=None)

    def forgettable(self, at: dt.datetime) -> PasswordResetQuerySet:
        """Those that neither choose a password nor prove anything any more."""
        return self.filter(
            expires_at__lt=at - PasswordReset.TOKEN_LASTS - PasswordReset.PROOF_LASTS
        )

    def done_on(self, device_digest: str, at: dt.datetime) -> PasswordResetQuerySet:
        """Those by which a password was chosen on a device a short while ago. Once somebody has
        signed in there, it is the sessions that tell whose the device is."""
        signed_in_since = DeviceSession.objects.filter(
            user=models.OuterRef("user"),
            device_digest=device_digest,
            created_at__gte=models.OuterRef("used_at"),
        )
        since = at - PasswordReset.PROOF_LASTS
        done = self.filter(device_digest=device_digest, used_at__gt=since)
        return done.exclude(models.Exists(signed_in_since))


class PasswordReset(BaseModel):
    """Somebody says they forgot the password of an address.

    A row is written for every address, known or not; a worker looks up afterwards whose it is,
    so the answer costs the same time for both. `reset_digest` is that of the token that the
    right code is traded for, `link_digest` that of the secret in the link of the same mail, which
    needs no code (ADR 27).
    """

    LASTS = dt.timedelta(minutes=30)
    TOKEN_LASTS = dt.timedelta(minutes=10)
    # How long a device on which a password was chosen by mail is one of the owner's by that alone.
    PROOF_LASTS = dt.timedelta(minutes=15)

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
    link_digest = models.CharField(max_length=64, unique=True, null=True, blank=True)
    link_expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    # Of the browser or app in which the password was chosen.
    device_digest = models.CharField(max_length=64, blank=True)

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

    def proves(self, user: User) -> bool:
        """Whether the mail still proves anything: not of an address that the user has left since,
        and not for a closed account."""
        return user.email == self.email and user.may_sign_in


class EmailChangeQuerySet(models.QuerySet["EmailChange"]):
    def open(self, at: dt.datetime) -> EmailChangeQuerySet:
        """Those whose code can still be typed, or sent again."""
        return self.filter(expires_at__gt=at, used_at=None)

    def forgettable(self, at: dt.datetime) -> EmailChangeQuerySet:
        """Those that came to nothing, and those that no mail is known of any more."""
        return self.filter(
            models.Q(used_at=None, expires_at__lt=at)
            | models.Q(used_at__lt=at - EmailChange.KEPT_FOR)
        )


class EmailChange(BaseModel):
    """A user on the way to another address, which must be proven first. Then it is `used_at`, and
    kept as long as the mails to that address are: whoever anonymises its person finds them."""

    LASTS = dt.timedelta(minutes=30)
    KEPT_FOR = EmailDelivery.KEPT_FOR

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
