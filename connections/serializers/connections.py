"""Shapes of connections, in and out."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from common.serializers import StrictSerializer
from connections.models import Connection, Weekday
from specializations.serializers import SpecializationSerializer

HOUR = "%H:%M"


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


class HoursSerializer(StrictSerializer):
    """From when until when, by the doctor's clock."""

    until = serializers.TimeField(format=HOUR)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's.
        return {"from": serializers.TimeField(format=HOUR), **super().get_fields()}


class AvailabilityFields(StrictSerializer):
    """Days and hours. Valid, it is what the services take."""

    available_days = serializers.ListField(
        child=serializers.ChoiceField(choices=Weekday.choices),
        max_length=len(Weekday),
        required=False,
    )
    available_hours = HoursSerializer(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        hours = attrs.get("available_hours")
        return {
            "days": attrs.get("available_days", []),
            "hours": (hours["from"], hours["until"]) if hours else None,
        }


class AvailabilitySerializer(AvailabilityFields):
    """Both are said anew; no days and null for the hours promise nothing."""

    available_days = serializers.ListField(
        child=serializers.ChoiceField(choices=Weekday.choices), max_length=len(Weekday)
    )
    available_hours = HoursSerializer(allow_null=True)


class BlockSerializer(StrictSerializer):
    person_id = serializers.UUIDField()


class ConnectionSerializer(serializers.ModelSerializer[Connection]):
    """As its `viewer`, named in the context, may know it: who is blocked is not told."""

    status = serializers.SerializerMethodField()
    origin = serializers.ChoiceField(
        choices=Connection.Origin.choices,
        allow_blank=True,
        read_only=True,
        help_text="Empty where the two never were connected.",
    )
    patient = PersonSerializer(read_only=True)
    doctor = DoctorSerializer(read_only=True)
    blocked_by_me = serializers.SerializerMethodField()
    available_days = serializers.ListField(
        child=serializers.ChoiceField(choices=Weekday.choices), read_only=True
    )
    available_hours = serializers.SerializerMethodField()

    class Meta:
        model = Connection
        fields: ClassVar[list[Any]] = [
            "id", "status", "origin", "patient", "doctor", "connected_at", "ended_at",
            "blocked_by_me", "available_days", "available_hours",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=Connection.Status.choices))
    def get_status(self, connection: Connection) -> str:
        return connection.status_for(self.context["viewer"])

    def get_blocked_by_me(self, connection: Connection) -> bool:
        return connection.blocked_at(self.context["viewer"]) is not None

    @extend_schema_field(HoursSerializer(allow_null=True))
    def get_available_hours(self, connection: Connection) -> dict[str, str] | None:
        return hours_of(connection)


def hours_of(connection: Connection) -> dict[str, str] | None:
    start, end = connection.available_from, connection.available_until
    if start is None or end is None:
        return None
    return {"from": start.strftime(HOUR), "until": end.strftime(HOUR)}
