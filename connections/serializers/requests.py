"""Shapes of requests to connect, in and out."""

from __future__ import annotations

from typing import Any, ClassVar

import orjson
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.serializers import StrictSerializer
from connections.models import ConnectionRequest, DataCategory
from connections.serializers.connections import (
    AvailabilityFields,
    DoctorSerializer,
    PersonSerializer,
)
from connections.serializers.grants import SharingSerializer


class SendRequestSerializer(StrictSerializer):
    """Whom to ask, and what the doctor would see once connected."""

    doctor_id = serializers.UUIDField()
    notes = serializers.CharField(
        max_length=ConnectionRequest.NOTES_LENGTH, required=False, allow_blank=True
    )
    share = SharingSerializer(required=False)


class SendRequestWithImageSerializer(SendRequestSerializer):
    """The same as a multipart form, where `share` is a text that holds the JSON."""

    prescription_image = serializers.FileField(
        required=False, allow_empty_file=True, help_text="A JPEG, PNG or WebP."
    )

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, QueryDict):
            data = _with_json(data.dict(), "share")
        return super().to_internal_value(data)


class AcceptSerializer(AvailabilityFields):
    """When the patient reaches the doctor, if the doctor says so."""


class RejectSerializer(StrictSerializer):
    reason = serializers.CharField(
        min_length=ConnectionRequest.SHORTEST_REASON,
        max_length=ConnectionRequest.REASON_LENGTH,
        required=False,
        allow_blank=True,
        help_text="The patient reads it; without one, that the doctor cannot take the request.",
    )


class RequestQuerySerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=ConnectionRequest.Status.choices, required=False)


class ProposedSharingSerializer(serializers.ModelSerializer[ConnectionRequest]):
    """What the doctor would see once connected."""

    categories = serializers.ListField(
        child=serializers.ChoiceField(choices=DataCategory.choices), read_only=True
    )

    class Meta:
        model = ConnectionRequest
        fields: ClassVar[list[str]] = ["categories", "data_from", "ends_at", "purpose"]
        read_only_fields = fields


class RequestSerializer(serializers.ModelSerializer[ConnectionRequest]):
    """One line of a list: who asks whom, and how it stands. What the patient told is read by
    opening the request."""

    status = serializers.SerializerMethodField()
    patient = PersonSerializer(read_only=True)
    doctor = DoctorSerializer(read_only=True)

    class Meta:
        model = ConnectionRequest
        fields: ClassVar[list[str]] = [
            "id", "status", "patient", "doctor", "created_at", "expires_at", "decided_at",
            "reason",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=ConnectionRequest.Status.choices))
    def get_status(self, request: ConnectionRequest) -> str:
        return request.state(timezone.now())


class OpenedRequestSerializer(RequestSerializer):
    """With what the patient told in it, for whoever may still read that; else empty."""

    notes = serializers.SerializerMethodField()
    share = serializers.SerializerMethodField()
    has_image = serializers.SerializerMethodField()

    class Meta(RequestSerializer.Meta):
        fields: ClassVar[list[str]] = [
            *RequestSerializer.Meta.fields, "notes", "share", "has_image",
        ]  # fmt: skip
        read_only_fields = fields

    def get_notes(self, request: ConnectionRequest) -> str:
        return request.notes if request.is_readable else ""

    @extend_schema_field(ProposedSharingSerializer(allow_null=True))
    def get_share(self, request: ConnectionRequest) -> Any:
        return ProposedSharingSerializer(request).data if request.is_readable else None

    def get_has_image(self, request: ConnectionRequest) -> bool:
        return bool(request.image) and request.is_readable


def _with_json(data: dict[str, Any], name: str) -> dict[str, Any]:
    """One field of a multipart form read as the JSON that it holds."""
    if name not in data:
        return data
    try:
        return data | {name: orjson.loads(data[name])}
    except (orjson.JSONDecodeError, TypeError) as error:
        raise serializers.ValidationError({name: [_("This is not valid JSON.")]}) from error
