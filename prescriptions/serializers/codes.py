"""The secrets of a prescription's paper, asked for."""

from __future__ import annotations

from rest_framework import serializers

from common.serializers import StrictSerializer


class ReissueSerializer(StrictSerializer):
    code_made_at = serializers.DateTimeField(
        required=False, help_text="Of the code that it replaces, as the prescription tells it."
    )
