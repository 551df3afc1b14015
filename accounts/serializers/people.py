"""Shapes of accounts."""

from __future__ import annotations

from typing import ClassVar

from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers

from accounts.models import Language, User
from accounts.serializers.health import DoctorPartSerializer, PatientPartSerializer
from common.serializers import StrictSerializer


class UserSerializer(serializers.ModelSerializer[User]):
    phone = PhoneNumberField(read_only=True, allow_null=True)

    class Meta:
        model = User
        fields: ClassVar[list[str]] = [
            "id", "email", "role", "status", "first_name", "last_name", "phone",
            "language", "time_zone",
        ]  # fmt: skip
        read_only_fields = fields


class OwnProfileSerializer(UserSerializer):
    """The own account, with the part that comes with the role."""

    patient = PatientPartSerializer(source="patient_profile", read_only=True, allow_null=True)
    doctor = DoctorPartSerializer(source="doctor_profile", read_only=True, allow_null=True)

    class Meta(UserSerializer.Meta):
        fields: ClassVar[list[str]] = [*UserSerializer.Meta.fields, "patient", "doctor"]
        read_only_fields = fields


class ChangeProfileSerializer(StrictSerializer):
    """What people may change about their own account."""

    first_name = serializers.CharField(max_length=User.NAME_LENGTH, required=False)
    last_name = serializers.CharField(max_length=User.NAME_LENGTH, required=False)
    phone = PhoneNumberField(required=False)
    language = serializers.ChoiceField(choices=Language.choices, required=False)
    time_zone = serializers.CharField(max_length=50, required=False)
    patient = PatientPartSerializer(required=False)
    doctor = DoctorPartSerializer(required=False)


class ReplaceProfileSerializer(StrictSerializer):
    """All of it; what is left out of the role's part is emptied."""

    first_name = serializers.CharField(max_length=User.NAME_LENGTH)
    last_name = serializers.CharField(max_length=User.NAME_LENGTH)
    phone = PhoneNumberField()
    language = serializers.ChoiceField(choices=Language.choices)
    time_zone = serializers.CharField(max_length=50)
    patient = PatientPartSerializer(required=False)
    doctor = DoctorPartSerializer(required=False)
