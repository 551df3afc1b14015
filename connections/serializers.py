from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.models import User
from connections.models import Connection
from specializations.serializers import SpecializationSerializer


class PersonSerializer(serializers.ModelSerializer[User]):
    """As much of a person as the other side of a connection sees."""

    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["id", "display_name", "first_name", "last_name"]
        read_only_fields = fields


class DoctorSerializer(PersonSerializer):
    specialization = SpecializationSerializer(
        source="doctor_profile.specialization", read_only=True
    )

    class Meta(PersonSerializer.Meta):
        fields: ClassVar[list[str]] = [*PersonSerializer.Meta.fields, "specialization"]
        read_only_fields = fields


class ConnectionSerializer(serializers.ModelSerializer[Connection]):
    patient = PersonSerializer(read_only=True)
    doctor = DoctorSerializer(read_only=True)

    class Meta:
        model = Connection
        fields: ClassVar[list[Any]] = [
            "id", "status", "origin", "patient", "doctor", "connected_at", "ended_at",
        ]  # fmt: skip
        read_only_fields = fields
