"""Shapes of suggested medicines."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.languages import spoken
from common.serializers import StrictSerializer
from prescriptions.models import FrequencyUnit, Route
from prescriptions.services.suggestions import Suggestion
from prescriptions.sig import dosage_sentence


class TypedSerializer(StrictSerializer):
    q = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class SuggestionSerializer(serializers.Serializer[Any]):
    """A medicine; of one that the doctor has prescribed, also how."""

    medicine = serializers.CharField()
    stands_for = serializers.CharField(
        allow_blank=True, help_text="The international name of a synonym."
    )
    is_own = serializers.BooleanField(help_text="Whether the doctor has prescribed it.")
    strength = serializers.CharField(allow_blank=True)
    route = serializers.ChoiceField(choices=Route.choices)
    frequency = serializers.IntegerField(allow_null=True)
    frequency_unit = serializers.ChoiceField(choices=FrequencyUnit.choices)
    as_needed = serializers.BooleanField()
    duration_days = serializers.IntegerField(allow_null=True)
    quantity = serializers.IntegerField(allow_null=True)
    dosage = serializers.SerializerMethodField(help_text="A sentence in the caller's language.")

    @extend_schema_field(serializers.CharField(allow_blank=True))
    def get_dosage(self, suggestion: Suggestion) -> str:
        return dosage_sentence(suggestion, spoken()) if suggestion.is_own else ""
