"""The chart as the API gives it."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.models import BloodType, Language, PatientProfile
from accounts.serializers import health as shapes
from common.serializers import StrictSerializer
from connections.models import DataCategory, Purpose
from connections.serializers.connections import PersonSerializer
from medisync.chart.reading import Chart
from prescriptions.serializers.orders import PrescriptionSerializer
from records.serializers import RecordSerializer


class FactsSerializer(serializers.ModelSerializer[PatientProfile]):
    blood_type = serializers.ChoiceField(
        choices=BloodType.choices, allow_blank=True, read_only=True
    )

    class Meta:
        model = PatientProfile
        fields: ClassVar[list[str]] = ["birth_date", "sex", "blood_type", "height_cm", "weight_kg"]
        read_only_fields = fields


class ChartSerializer(serializers.Serializer[Any]):
    """What a doctor sees of a patient. A part that is not shared is null; an empty list says
    that the patient has entered nothing. The context names the doctor: `reader`."""

    patient = PersonSerializer()
    grant_id = serializers.UUIDField()
    purpose = serializers.ChoiceField(choices=Purpose.choices)
    data_from = serializers.DateField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    shared = serializers.ListField(child=serializers.ChoiceField(choices=DataCategory.choices))
    cut = serializers.ListField(
        child=serializers.ChoiceField(choices=DataCategory.choices),
        help_text="Those of which only the newest hundred are here.",
    )
    facts = FactsSerializer(allow_null=True)
    allergies = shapes.AllergySerializer(many=True, allow_null=True)
    conditions = shapes.ConditionSerializer(many=True, allow_null=True)
    medications = shapes.MedicationSerializer(many=True, allow_null=True)
    emergency_contacts = shapes.EmergencyContactSerializer(many=True, allow_null=True)
    prescriptions = PrescriptionSerializer(
        many=True, allow_null=True, help_text="Those by other doctors."
    )
    lab_result = RecordSerializer(many=True, allow_null=True)
    imaging = RecordSerializer(many=True, allow_null=True)
    prescription_scan = RecordSerializer(many=True, allow_null=True)
    report = RecordSerializer(many=True, allow_null=True)
    vaccination = RecordSerializer(many=True, allow_null=True)
    other = RecordSerializer(many=True, allow_null=True)
    issued = PrescriptionSerializer(many=True, help_text="Those by the doctor themself.")
    issued_is_cut = serializers.BooleanField(
        help_text="Whether only the newest hundred of those are here."
    )


class LinkSerializer(serializers.Serializer[Any]):
    """An address that opens a file for a short while, without a token."""

    url = serializers.URLField()
    expires_at = serializers.DateTimeField()


class LanguageSerializer(StrictSerializer):
    language = serializers.ChoiceField(choices=Language.choices, required=False)


def shown(chart: Chart) -> Any:
    """The chart as its doctor gets it."""
    return ChartSerializer(_shape_of(chart), context={"reader": chart.doctor}).data


def _shape_of(chart: Chart) -> dict[str, Any]:
    """Each category under its own name."""
    parts = {section.category.lower(): section.rows for section in chart.sections}
    facts = parts["facts"]
    return {
        **parts,
        "facts": facts[0] if facts else None,
        "patient": chart.patient,
        "grant_id": chart.grant.pk,
        "purpose": chart.grant.purpose,
        "data_from": chart.grant.data_from,
        "ends_at": chart.grant.ends_at,
        "shared": [section.category for section in chart.shared],
        "cut": [section.category for section in chart.sections if section.is_cut],
        "issued": chart.issued,
        "issued_is_cut": chart.issued_is_cut,
    }
