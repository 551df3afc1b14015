"""Shapes of prescriptions, in and out."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.clock import clinic_date
from common.serializers import StrictSerializer
from connections.serializers import PersonSerializer
from prescriptions.models import FrequencyUnit, Prescription, PrescriptionItem, Route
from prescriptions.services import Item
from prescriptions.sig import dosage_sentence


class ItemInputSerializer(StrictSerializer):
    medicine = serializers.CharField(max_length=200)
    strength = serializers.CharField(max_length=80, required=False, allow_blank=True)
    route = serializers.ChoiceField(choices=Route.choices, required=False)
    frequency = serializers.IntegerField(min_value=1, max_value=24, required=False, allow_null=True)
    frequency_unit = serializers.ChoiceField(choices=FrequencyUnit.choices, required=False)
    as_needed = serializers.BooleanField(required=False)
    duration_days = serializers.IntegerField(
        min_value=1,
        max_value=PrescriptionItem.MAX_DURATION_DAYS,
        required=False,
        allow_null=True,
    )
    quantity = serializers.IntegerField(min_value=1, max_value=PrescriptionItem.MAX_QUANTITY)
    refills = serializers.IntegerField(
        min_value=0, max_value=PrescriptionItem.MAX_REFILLS, required=False
    )
    instructions = serializers.CharField(max_length=500, required=False, allow_blank=True)


class IssuePrescriptionSerializer(StrictSerializer):
    items = serializers.ListField(
        child=ItemInputSerializer(), min_length=1, max_length=Prescription.MAX_ITEMS
    )
    diagnosis = serializers.CharField(max_length=500, required=False, allow_blank=True)
    notes = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    valid_until = serializers.DateField(required=False)
    client_id = serializers.UUIDField(
        required=False,
        help_text="Made by the client; sending the same again returns the first prescription.",
    )

    def validate_items(self, items: list[dict[str, Any]]) -> list[Item]:
        return [Item(**item) for item in items]


class ItemSerializer(serializers.ModelSerializer[PrescriptionItem]):
    dosage = serializers.SerializerMethodField(help_text="A sentence in the caller's language.")

    class Meta:
        model = PrescriptionItem
        fields: ClassVar[list[str]] = [
            "position", "medicine", "strength", "route", "frequency", "frequency_unit",
            "as_needed", "duration_days", "quantity", "refills", "instructions", "dosage",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_dosage(self, item: PrescriptionItem) -> str:
        return dosage_sentence(item, "ar" if get_language() == "ar" else "en")


class PrescriptionSerializer(serializers.ModelSerializer[Prescription]):
    patient = PersonSerializer(read_only=True)
    doctor = PersonSerializer(read_only=True)
    state = serializers.SerializerMethodField()
    items = ItemSerializer(many=True, read_only=True)

    class Meta:
        model = Prescription
        fields: ClassVar[list[str]] = [
            "id", "number", "version", "state", "connection", "patient", "doctor",
            "prescriber_name", "prescriber_licence_number", "diagnosis", "notes",
            "issued_at", "valid_until", "items", "verification_url",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=Prescription.State.choices))
    def get_state(self, prescription: Prescription) -> str:
        return prescription.state(clinic_date())
