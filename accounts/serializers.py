"""Shapes of identity, in and out."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers

from accounts.models import (
    OPEN_ROLES,
    DeviceSession,
    Language,
    Registration,
    Sex,
    Status,
    User,
)
from common.serializers import StrictSerializer


class StartRegistrationSerializer(StrictSerializer):
    role = serializers.ChoiceField(choices=OPEN_ROLES)
    language = serializers.ChoiceField(choices=Language.choices, required=False)


class RegistrationDetailsSerializer(StrictSerializer):
    registration_id = serializers.UUIDField()
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)
    confirm_password = serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)
    first_name = serializers.CharField(max_length=80)
    last_name = serializers.CharField(max_length=80)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["password"] != attrs.pop("confirm_password"):
            raise serializers.ValidationError(
                {"confirm_password": _("The two passwords differ.")}, code="password_mismatch"
            )
        return attrs


class VerifyEmailSerializer(StrictSerializer):
    registration_id = serializers.UUIDField()
    otp = serializers.RegexField(r"\A[0-9]{6}\Z", max_length=6)


class ResendCodeSerializer(StrictSerializer):
    id = serializers.UUIDField()
    type = serializers.ChoiceField(choices=["EMAIL_VERIFICATION"])


class RegistrationSerializer(serializers.ModelSerializer[Registration]):
    registration_id = serializers.UUIDField(source="id", read_only=True)

    class Meta:
        model = Registration
        fields: ClassVar[list[str]] = ["registration_id", "role", "status", "expires_at"]
        read_only_fields = fields


class RegistrationStatusSerializer(serializers.Serializer[Any]):
    """Where a registration stands, and what comes next."""

    registration_id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=OPEN_ROLES)
    status = serializers.CharField(help_text="A step of registration, then a user's status.")
    next_step = serializers.ChoiceField(
        choices=["DETAILS", "VERIFY_EMAIL", "PROFILE", "APPROVAL", "NONE"]
    )
    waiting_since = serializers.DateTimeField(allow_null=True)


class VerifiedSerializer(serializers.Serializer[Any]):
    user_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Status.choices)
    onboarding_token = serializers.CharField()


class ProfileCompletedSerializer(serializers.Serializer[Any]):
    user_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Status.choices)


class PatientDetailsSerializer(StrictSerializer):
    phone = PhoneNumberField()
    birth_date = serializers.DateField(required=False)
    sex = serializers.ChoiceField(choices=Sex.choices, required=False)
    national_id = serializers.CharField(max_length=14, required=False)


class DoctorDetailsSerializer(StrictSerializer):
    phone = PhoneNumberField()
    specialization_id = serializers.UUIDField()
    licence_number = serializers.CharField(max_length=40)
    licence_document = serializers.FileField()
    national_id_document = serializers.FileField()


class LoginSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)
    device_name = serializers.CharField(max_length=100, required=False, allow_blank=True)


class RefreshSerializer(StrictSerializer):
    refresh_token = serializers.CharField(max_length=2000, write_only=True)


class UserSerializer(serializers.ModelSerializer[User]):
    phone = PhoneNumberField(read_only=True, allow_null=True)

    class Meta:
        model = User
        fields: ClassVar[list[str]] = [
            "id", "email", "role", "status", "first_name", "last_name", "phone",
            "language", "time_zone",
        ]  # fmt: skip
        read_only_fields = fields


class TokenPairSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds the access token lasts.")


class LoginAnswerSerializer(TokenPairSerializer):
    user = UserSerializer()


class OnboardingAnswerSerializer(serializers.Serializer[Any]):
    """A right password for an account whose profile is not complete."""

    onboarding_required = serializers.BooleanField()
    onboarding_token = serializers.CharField()
    user_id = serializers.UUIDField()


class DeviceSessionSerializer(serializers.ModelSerializer[DeviceSession]):
    is_current = serializers.SerializerMethodField()

    class Meta:
        model = DeviceSession
        fields: ClassVar[list[str]] = [
            "id", "method", "device_name", "user_agent", "ip_address",
            "created_at", "last_seen_at", "is_current",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.BooleanField())
    def get_is_current(self, session: DeviceSession) -> bool:
        return bool(session.pk == self.context["request"].auth.pk)


class PreferencesSerializer(StrictSerializer):
    """What people may change about their own account."""

    first_name = serializers.CharField(max_length=80, required=False)
    last_name = serializers.CharField(max_length=80, required=False)
    phone = PhoneNumberField(required=False)
    language = serializers.ChoiceField(choices=Language.choices, required=False)
    time_zone = serializers.CharField(max_length=50, required=False)
