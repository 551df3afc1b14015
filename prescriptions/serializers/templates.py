"""Shapes of a doctor's templates."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from common.serializers import StrictSerializer
from prescriptions.models import Prescription, PrescriptionTemplate
from prescriptions.serializers.orders import ItemInputSerializer
from prescriptions.services.issuing import Item, Order


class TemplateInputSerializer(StrictSerializer):
    name = serializers.CharField(max_length=80)
    diagnosis = serializers.CharField(max_length=500, required=False, allow_blank=True)
    notes = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    items = serializers.ListField(
        child=ItemInputSerializer(), min_length=1, max_length=Prescription.MAX_ITEMS
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        items = [Item(**item) for item in attrs.pop("items")]
        return {"name": attrs.pop("name"), "order": Order(items=items, **attrs)}


class TemplateSerializer(serializers.ModelSerializer[PrescriptionTemplate]):
    items = serializers.ListField(child=ItemInputSerializer(), read_only=True)

    class Meta:
        model = PrescriptionTemplate
        fields: ClassVar[list[str]] = ["id", "name", "diagnosis", "notes", "items"]
        read_only_fields = fields
