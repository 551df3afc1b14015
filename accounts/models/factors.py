"""What people show beside their password, or instead of it."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.sessions import DeviceSession
from accounts.models.users import User
from common.fields import EncryptedTextField
from common.models import BaseModel


class Totp(BaseModel):
    """An authenticator app: a shared seed, six digits every 30 seconds (RFC 6238).

    `last_step` is the last time step whose code was accepted; none at or before it is again.
    Until a first code is shown, the seed is good only in the session that began it, and not for
    long: one that somebody else has seen is not set up by the owner later.
    """

    SETTING_UP_LASTS = dt.timedelta(minutes=15)

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="totp")
    seed = EncryptedTextField(purpose="accounts.totp.seed")
    begun_in = models.ForeignKey(
        DeviceSession, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    begun_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return "authenticator app"


class RecoveryCode(BaseModel):
    """One of the codes on paper, each good once; only a keyed digest is kept."""

    NUMBER = 10

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return "recovery code"


class SecondFactorReset(BaseModel):
    """Which administrator took a lost second factor off an account, when and why. A row stays as
    it was written, but for the reason: once the person is anonymised, it names them no more."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="factor_resets")
    reset_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("reset by")
    )
    reason = models.TextField(_("reason"))

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name = _("second factor reset")
        verbose_name_plural = _("second factor resets")

    def __str__(self) -> str:
        return self.reason


class PasskeyQuerySet(models.QuerySet["Passkey"]):
    def visible_to(self, user: Any) -> PasskeyQuerySet:
        return self.filter(user_id=user.pk)


class Passkey(BaseModel):
    """A WebAuthn credential: the public half of a key that never leaves its device.

    `credential` is its attested credential data (AAGUID, id, COSE key) as WebAuthn writes it.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(_("name"), max_length=100)
    credential_id = models.BinaryField(unique=True)
    credential = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True)

    objects = PasskeyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return self.name


class PasskeyChallenge(BaseModel):
    """What an authenticator is asked to sign, once and soon."""

    LASTS = dt.timedelta(minutes=5)

    class Purpose(models.TextChoices):
        REGISTER = "REGISTER"
        SIGN_IN = "SIGN_IN"
        CONFIRM = "CONFIRM"

    # Nobody yet, when a passkey is all that a sign-in begins with.
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, related_name="passkey_challenges"
    )
    purpose = models.CharField(max_length=10, choices=Purpose)
    state = models.JSONField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="passkey_challenge_expiry")
        ]

    def __str__(self) -> str:
        return self.purpose


class SpentIdToken(BaseModel):
    """An id_token that has let somebody in: it does so once. Kept until it is too old anyway."""

    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="spent_id_token_expiry")
        ]

    def __str__(self) -> str:
        return "id_token"


class ExternalIdentity(BaseModel):
    """An account elsewhere that signs in to one here (OpenID Connect `iss` and `sub`)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="external_identities")
    issuer = models.CharField(max_length=200)
    subject = models.CharField(max_length=255)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="external_identity_unique"),
            models.UniqueConstraint(fields=["issuer", "user"], name="external_identity_one_a_user"),
        ]

    def __str__(self) -> str:
        return self.issuer
