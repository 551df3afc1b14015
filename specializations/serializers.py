from __future__ import annotations

from typing import ClassVar

from rest_framework import serializers

from specializations.models import Specialization


class SpecializationSerializer(serializers.ModelSerializer[Specialization]):
    name = serializers.CharField(read_only=True, help_text="In the caller's language.")
    description = serializers.CharField(read_only=True)

    class Meta:
        model = Specialization
        fields: ClassVar[list[str]] = [
            "id", "code", "name", "name_en", "name_ar", "aliases", "description",
        ]  # fmt: skip
        read_only_fields = fields
