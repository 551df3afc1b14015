"""Shapes of accounts as administrators see them."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers

from accounts.models import DoctorProfile, PatientProfile, Role, Status, User
from accounts.services.texts import TEXT_LENGTH
from common.serializers import StrictSerializer

ORDERINGS = ("-created_at", "created_at", "email", "-email", "-last_login", "last_login")


class UserFilterSerializer(StrictSerializer):
    """What a list of accounts can be narrowed by."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    is_active = serializers.BooleanField(
        required=False,
        help_text="Whether the account may sign in: not deactivated, suspended or anonymised.",
    )
    search = serializers.CharField(
        max_length=100,
        required=False,
        help_text="Words, each part of the e-mail address, the name or the phone number.",
    )
    ordering = serializers.ChoiceField(
        choices=[(name, name) for name in ORDERINGS], default="-created_at"
    )


class ReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=TEXT_LENGTH)


class AccountSerializer(serializers.ModelSerializer[User]):
    """One line of the list."""

    phone = PhoneNumberField(read_only=True, allow_null=True)
    second_factor = serializers.BooleanField(read_only=True)

    class Meta:
        model = User
        fields: ClassVar[list[str]] = [
            "id", "email", "role", "status", "first_name", "last_name", "phone", "language",
            "time_zone", "second_factor", "created_at", "last_login",
        ]  # fmt: skip
        read_only_fields = fields


class PatientFactsSerializer(serializers.ModelSerializer[PatientProfile]):
    has_national_id = serializers.SerializerMethodField()
    national_id_ending = serializers.SerializerMethodField(
        help_text="Its last four digits; the whole number is shown to nobody."
    )

    class Meta:
        model = PatientProfile
        fields: ClassVar[list[str]] = [
            "birth_date", "sex", "has_national_id", "national_id_ending",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.BooleanField())
    def get_has_national_id(self, profile: PatientProfile) -> bool:
        return profile.national_id_index is not None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_national_id_ending(self, profile: PatientProfile) -> str | None:
        return profile.national_id[-4:] if profile.national_id else None


class DoctorFactsSerializer(serializers.ModelSerializer[DoctorProfile]):
    specialization = serializers.CharField(source="specialization.name", read_only=True)

    class Meta:
        model = DoctorProfile
        fields: ClassVar[list[str]] = [
            "specialization", "licence_number", "licence_expiry_date", "applied_at",
        ]  # fmt: skip
        read_only_fields = fields


class AccountDetailSerializer(AccountSerializer):
    """One account, with what its person told about themselves."""

    session_count = serializers.IntegerField(
        read_only=True, help_text="On how many devices the person is signed in now."
    )
    patient_profile = PatientFactsSerializer(read_only=True, allow_null=True, default=None)
    doctor_profile = DoctorFactsSerializer(read_only=True, allow_null=True, default=None)

    class Meta(AccountSerializer.Meta):
        fields: ClassVar[list[str]] = [
            *AccountSerializer.Meta.fields, "session_count", "patient_profile", "doctor_profile",
        ]  # fmt: skip
        read_only_fields = fields


class FunnelSerializer(serializers.Serializer[Any]):
    """How far those got who began to register within the last 24 hours."""

    role = serializers.ChoiceField(choices=[Role.PATIENT.value, Role.DOCTOR.value])
    started = serializers.IntegerField()
    details = serializers.IntegerField()
    email_proven = serializers.IntegerField()
    profile = serializers.IntegerField()
    approved = serializers.IntegerField()


class DaySerializer(serializers.Serializer[Any]):
    date = serializers.DateField()
    count = serializers.IntegerField()


class AccountStatisticsSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    by_role = serializers.DictField(child=serializers.IntegerField())
    by_status = serializers.DictField(child=serializers.IntegerField())
    funnel = FunnelSerializer(many=True)
    new_per_day = DaySerializer(many=True, help_text="The last 30 days, today included.")
