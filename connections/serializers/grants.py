"""Shapes of what a patient lets a doctor see."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.serializers import InstantField, StrictSerializer
from connections.models import AccessGrant, DataCategory, Purpose
from connections.serializers.connections import DoctorSerializer, PersonSerializer
from connections.services.grants import Sharing


class SharingSerializer(StrictSerializer):
    """What is shared. Valid, it is a `Sharing`."""

    categories = serializers.ListField(
        child=serializers.ChoiceField(choices=DataCategory.choices),
        max_length=len(DataCategory),
        help_text="The kinds of data the doctor may see; none, and nothing is shared.",
    )
    data_from = serializers.DateField(
        required=False,
        allow_null=True,
        help_text="The first day of prescriptions and documents; without it, all of them.",
    )
    ends_at = InstantField(
        required=False, allow_null=True, help_text="Without it, until it is taken back."
    )
    purpose = serializers.ChoiceField(choices=Purpose.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> Sharing:
        return Sharing(**attrs)


class GrantTermsSerializer(SharingSerializer):
    """As above, but something is shared: who wants to share nothing takes the grant back."""

    categories = serializers.ListField(
        child=serializers.ChoiceField(choices=DataCategory.choices),
        min_length=1,
        max_length=len(DataCategory),
    )


class NewGrantSerializer(GrantTermsSerializer):
    connection_id = serializers.UUIDField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:  # type: ignore[override]
        connection_id = attrs.pop("connection_id")
        return {"connection_id": connection_id, "sharing": super().validate(attrs)}


class GrantFilterSerializer(StrictSerializer):
    connection_id = serializers.UUIDField(required=False)


class GrantSerializer(serializers.ModelSerializer[AccessGrant]):
    connection_id = serializers.UUIDField(read_only=True)
    patient = PersonSerializer(source="connection.patient", read_only=True)
    doctor = DoctorSerializer(source="connection.doctor", read_only=True)
    end_reason = serializers.ChoiceField(
        choices=AccessGrant.EndReason.choices,
        allow_blank=True,
        read_only=True,
        help_text="Empty while it stands.",
    )
    is_in_force = serializers.SerializerMethodField(help_text="Whether it opens anything now.")

    class Meta:
        model = AccessGrant
        fields: ClassVar[list[str]] = [
            "id", "connection_id", "patient", "doctor", "categories", "data_from", "ends_at",
            "purpose", "is_in_force", "created_at", "last_used_at", "ended_at", "end_reason",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.BooleanField())
    def get_is_in_force(self, grant: AccessGrant) -> bool:
        return grant.is_in_force(timezone.now())
