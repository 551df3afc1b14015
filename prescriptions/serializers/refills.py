"""Shapes of requests to prescribe the same again, in and out."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from common.serializers import StrictSerializer
from connections.serializers.connections import PersonSerializer
from prescriptions.models import RefillRequest
from prescriptions.services.timeline import What


class AskRefillSerializer(StrictSerializer):
    note = serializers.CharField(
        max_length=RefillRequest.LONGEST,
        required=False,
        allow_blank=True,
        help_text="The doctor reads it.",
    )


class DeclineRefillSerializer(StrictSerializer):
    reason = serializers.CharField(
        max_length=RefillRequest.LONGEST, help_text="The patient reads it."
    )


class RefillQuerySerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=RefillRequest.Status.choices, required=False)


class RefillRequestSerializer(serializers.ModelSerializer[RefillRequest]):
    number = serializers.CharField(source="prescription.number", read_only=True)
    patient = PersonSerializer(source="prescription.patient", read_only=True)
    doctor = PersonSerializer(source="prescription.doctor", read_only=True)

    class Meta:
        model = RefillRequest
        fields: ClassVar[list[str]] = [
            "id", "prescription", "number", "patient", "doctor", "note", "status", "reason",
            "created_at", "decided_at", "answered_with",
        ]  # fmt: skip
        read_only_fields = fields


class PrescriptionEventSerializer(serializers.Serializer[Any]):
    """One thing that happened to a prescription."""

    at = serializers.DateTimeField()
    what = serializers.ChoiceField(choices=[(what.value, what.value) for what in What])
    version = serializers.IntegerField()
    sentence = serializers.CharField(help_text="In the caller's language.")
    detail = serializers.CharField(
        help_text="What somebody wrote, or said of themselves; may be empty."
    )
