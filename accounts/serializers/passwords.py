"""Shapes of forgotten and changed passwords and addresses."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.serializers import StrictSerializer


def password_field() -> serializers.CharField:
    return serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)


class ForgotPasswordSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)


class ResetAskedSerializer(serializers.Serializer[Any]):
    """The same for every address, whether or not it has an account."""

    reset_id = serializers.UUIDField()


class VerifyResetCodeSerializer(StrictSerializer):
    reset_id = serializers.UUIDField()
    otp = serializers.RegexField(r"\A[0-9]{6}\Z", max_length=6)


class ResetTokenSerializer(serializers.Serializer[Any]):
    reset_token = serializers.CharField(help_text="Works once, for ten minutes.")


class ResetPasswordSerializer(StrictSerializer):
    reset_token = serializers.CharField(max_length=100, write_only=True)
    new_password = password_field()


class ChangePasswordSerializer(StrictSerializer):
    old_password = password_field()
    new_password = password_field()


class ChangeEmailSerializer(StrictSerializer):
    new_email = serializers.EmailField(max_length=254)


class EmailChangeAskedSerializer(serializers.Serializer[Any]):
    """The same for every address, whether or not it is taken."""

    change_id = serializers.UUIDField()


class VerifyEmailChangeSerializer(StrictSerializer):
    change_id = serializers.UUIDField()
    otp = serializers.RegexField(r"\A[0-9]{6}\Z", max_length=6)
