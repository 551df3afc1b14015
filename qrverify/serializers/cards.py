"""Shapes of health cards."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class HealthCardSerializer(serializers.Serializer[Any]):
    """A SMART Health Card, and the QR codes that hold it, in their order."""

    prescription_id = serializers.UUIDField(source="card.prescription_id")
    issued_at = serializers.DateTimeField(source="card.issued_at")
    expires_at = serializers.DateTimeField(source="card.expires_at")
    verifiable_credential = serializers.CharField(
        source="jws", help_text="The card itself: a compact JWS, as wallets store it."
    )
    chunks = serializers.ListField(
        child=serializers.CharField(), help_text="What each QR code holds: `shc:/…`."
    )
    svg = serializers.ListField(child=serializers.CharField())
    png = serializers.ListField(child=serializers.CharField(), help_text="`data:` URIs.")
