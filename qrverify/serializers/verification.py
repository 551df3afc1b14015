"""Shapes of verification."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.serializers import StrictSerializer
from prescriptions.models import Prescription
from qrverify.services.verification import Outcome, StopClass


class VerifySerializer(StrictSerializer):
    code = serializers.CharField(max_length=64)
    version = serializers.IntegerField(min_value=1, max_value=32767)
    content_hash = serializers.RegexField(r"\A[0-9a-f]{16}\Z", max_length=16)


class VerificationSerializer(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    state = serializers.ChoiceField(choices=Prescription.State.choices, allow_null=True)
    ended_on = serializers.DateField(
        allow_null=True, help_text="Since when it is not in force, where somebody ended it."
    )
    stop_class = serializers.ChoiceField(
        choices=StopClass.choices, allow_null=True, help_text="Roughly why it was stopped."
    )
    stop_requested = serializers.BooleanField(
        source="is_stop_requested",
        allow_null=True,
        help_text="It is stopped as soon as the pharmacy that holds it gives it back.",
    )
    current_version = serializers.IntegerField(
        allow_null=True, help_text="The version in force, where this is an older one."
    )
    held_until = serializers.DateTimeField(
        allow_null=True, help_text="A pharmacy is dispensing it, until then at the latest."
    )
    locked = serializers.BooleanField(
        source="is_locked",
        allow_null=True,
        help_text="Its PIN was guessed at too often; the patient can make a new code.",
    )
    number = serializers.CharField(source="prescription.number", default=None, allow_null=True)
    version = serializers.IntegerField(source="prescription.version", default=None, allow_null=True)
    issued_at = serializers.DateTimeField(
        source="prescription.issued_at", default=None, allow_null=True
    )
    valid_until = serializers.DateField(
        source="prescription.valid_until", default=None, allow_null=True
    )
    prescriber_name = serializers.CharField(
        source="prescription.prescriber_name", default=None, allow_null=True
    )
    prescriber_licence_number = serializers.CharField(
        source="prescription.prescriber_licence_number", default=None, allow_null=True
    )
    item_count = serializers.SerializerMethodField()
    prescriber_suspended = serializers.BooleanField(
        source="is_prescriber_suspended",
        allow_null=True,
        help_text="Whether the prescriber is suspended now.",
    )
    caution = serializers.CharField(
        allow_null=True,
        help_text="A sentence for whoever is about to dispense, in the caller's language.",
    )

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_item_count(self, verification: Any) -> int | None:
        found = verification.prescription
        return None if found is None else len(found.items.all())
