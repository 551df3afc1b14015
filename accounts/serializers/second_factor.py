"""Shapes of second factors, passkeys and confirmations."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from accounts.models import Factor, Passkey
from accounts.serializers.sessions import DeviceNameField
from common.serializers import StrictSerializer

CODE_HELP = "Six digits of the authenticator app, or a recovery code."
CREDENTIAL_HELP = "What the authenticator answered, in the JSON form of WebAuthn Level 3."


class CodeSerializer(StrictSerializer):
    code = serializers.CharField(max_length=20, write_only=True, help_text=CODE_HELP)


class PendingSerializer(StrictSerializer):
    mfa_token = serializers.CharField(max_length=2000, write_only=True)


class ShowCodeSerializer(CodeSerializer, PendingSerializer):
    device_name = DeviceNameField(required=False, allow_blank=True)


class CredentialSerializer(StrictSerializer):
    challenge_id = serializers.UUIDField()
    credential = serializers.DictField(help_text=CREDENTIAL_HELP)


class AddPasskeySerializer(CredentialSerializer):
    name = serializers.CharField(max_length=100, required=False)


class PasskeySignInSerializer(CredentialSerializer):
    device_name = DeviceNameField(required=False, allow_blank=True)


class ShowPasskeySerializer(PasskeySignInSerializer, PendingSerializer):
    pass


class PasskeyNameSerializer(StrictSerializer):
    name = serializers.CharField(max_length=100)


class ConfirmSerializer(StrictSerializer):
    """A code from whoever has a second factor; from everybody else the password, or what their
    linked Google account says of them."""

    code = serializers.CharField(
        max_length=20, required=False, write_only=True, help_text=CODE_HELP
    )
    password = serializers.CharField(
        max_length=128, required=False, trim_whitespace=False, write_only=True
    )
    id_token = serializers.CharField(
        max_length=10_000,
        required=False,
        write_only=True,
        help_text="Of the Google account that is linked; good once, for ten minutes.",
    )
    nonce = serializers.CharField(
        max_length=200,
        required=False,
        help_text="The one that the app asked Google with, if any.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        allowed = ({"code"}, {"password"}, {"id_token"}, {"id_token", "nonce"})
        if set(attrs) not in allowed:
            raise serializers.ValidationError(_("Send a code, the password or an id_token."))
        return attrs


class SecondFactorSerializer(serializers.Serializer[Any]):
    """What an account has to show beside its password."""

    totp = serializers.BooleanField()
    passkeys = serializers.IntegerField()
    recovery_codes_left = serializers.IntegerField()
    shown = serializers.ChoiceField(
        choices=Factor.choices,
        allow_blank=True,
        help_text="What this session has shown; empty for none.",
    )


class TotpSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField()
    otpauth_uri = serializers.CharField()
    svg = serializers.CharField(help_text="The address as a QR symbol.")


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    """To be kept on paper: they are not shown again. Empty when there were some already."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class AskedSerializer(serializers.Serializer[Any]):
    """What to put to the authenticator, within five minutes."""

    challenge_id = serializers.UUIDField()
    options = serializers.DictField(
        help_text="For `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`."
    )


class PasskeySerializer(serializers.ModelSerializer[Passkey]):
    class Meta:
        model = Passkey
        fields: ClassVar[list[str]] = ["id", "name", "created_at", "last_used_at"]
        read_only_fields = fields


class PasskeyAddedSerializer(RecoveryCodesSerializer):
    passkey = PasskeySerializer()
