"""Shapes of registration."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers

from accounts.models import (
    OPEN_ROLES,
    CorrectionStep,
    DoctorProfile,
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
    first_name = serializers.CharField(max_length=User.NAME_LENGTH)
    last_name = serializers.CharField(max_length=User.NAME_LENGTH)

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
    type = serializers.ChoiceField(
        choices=["EMAIL_VERIFICATION", "PASSWORD_RESET", "EMAIL_CHANGE"],
        help_text="What the id is of: a registration, a reset, or a change of address.",
    )


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
        choices=["DETAILS", "VERIFY_EMAIL", "PROFILE", "APPROVAL", "CORRECTION", "NONE"]
    )
    return_step = serializers.ChoiceField(choices=CorrectionStep.choices, allow_null=True)
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
    licence_number = serializers.CharField(max_length=DoctorProfile.LICENCE_LENGTH)
    licence_document = serializers.FileField()
    national_id_document = serializers.FileField()
