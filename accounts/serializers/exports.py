"""Shapes of copies of one's own data."""

from __future__ import annotations

from typing import ClassVar

from rest_framework import serializers

from accounts.models import DataExport


class DataExportSerializer(serializers.ModelSerializer[DataExport]):
    """`done_parts` of `all_parts` tells how far it is; there is a `size`, in bytes, once it is
    ready."""

    class Meta:
        model = DataExport
        fields: ClassVar[list[str]] = [
            "id", "status", "done_parts", "all_parts", "size", "created_at", "ready_at",
            "expires_at",
        ]  # fmt: skip
        read_only_fields = fields
