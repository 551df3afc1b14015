"""Shapes of records."""

from __future__ import annotations

from typing import ClassVar

from rest_framework import serializers

from records.models import Record


class RecordSerializer(serializers.ModelSerializer[Record]):
    class Meta:
        model = Record
        fields: ClassVar[list[str]] = ["id", "kind", "title", "date", "description", "tags"]
        read_only_fields = fields
