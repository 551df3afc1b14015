"""Shapes of QR codes that are shown and scanned."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from common.serializers import StrictSerializer
from connections.serializers.connections import ConnectionSerializer, DoctorSerializer
from connections.serializers.grants import SharingSerializer
from qrverify.models import QrToken
from qrverify.payloads import LONGEST, Kind
from qrverify.services.codes import KINDS

KIND_CHOICES = [(kind.value, kind.label) for kind in KINDS]


class MetadataSerializer(StrictSerializer):
    """What a code is for."""

    prescription_id = serializers.UUIDField(required=False)


class GenerateSerializer(StrictSerializer):
    """`expiry_minutes` is for CONNECTION alone, and PRESCRIPTION needs the `prescription_id` in
    `metadata`."""

    type = serializers.ChoiceField(choices=KIND_CHOICES)
    expiry_minutes = serializers.IntegerField(min_value=1, max_value=60, required=False)
    metadata = MetadataSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Valid, it is what the service takes."""
        minutes = attrs.get("expiry_minutes")
        prescription_id = attrs.get("metadata", {}).get("prescription_id")
        if prescription_id and attrs["type"] != Kind.PRESCRIPTION:
            raise serializers.ValidationError(
                {"metadata": {"prescription_id": _("Only the code of a prescription names one.")}}
            )
        return {
            "kind": Kind(attrs["type"]),
            "lasts": dt.timedelta(minutes=minutes) if minutes else None,
            "prescription_id": prescription_id,
        }


class ScanSerializer(StrictSerializer):
    token = serializers.CharField(
        max_length=LONGEST,
        trim_whitespace=False,
        help_text="What the QR code holds, or the short code that was typed.",
    )
    confirm = serializers.BooleanField(required=False)
    share = SharingSerializer(required=False)


class ValidateSerializer(StrictSerializer):
    token = serializers.CharField(
        max_length=LONGEST,
        trim_whitespace=False,
        help_text="What the QR code holds, or the short code that was typed.",
    )


class QrCodeSerializer(serializers.Serializer[Any]):
    """One code and how it stands. `id` is that of the token, the prescription or the card. Of
    paper that was replaced by a newer print nothing but that is told."""

    id = serializers.UUIDField(allow_null=True)
    type = serializers.ChoiceField(choices=KIND_CHOICES)
    state = serializers.ChoiceField(choices=QrToken.State.choices)
    created_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="Null where it lasts until it is withdrawn."
    )
    number = serializers.CharField(
        allow_null=True, help_text="The prescription's number; null for the other kinds."
    )


class ShownCodeSerializer(serializers.Serializer[Any]):
    """One that was made just now, with its secrets."""

    id = serializers.UUIDField(source="code.id")
    type = serializers.ChoiceField(source="code.type", choices=KIND_CHOICES)
    expires_at = serializers.DateTimeField(source="code.expires_at", allow_null=True)
    number = serializers.CharField(source="code.number", allow_null=True)
    token = serializers.CharField(source="secret")
    code = serializers.CharField(
        source="typed", allow_null=True, help_text="For typing; of CONNECTION alone."
    )
    pin = serializers.CharField(
        allow_null=True, help_text="What the patient tells a pharmacy; of PRESCRIPTION alone."
    )
    url = serializers.CharField(help_text="What the QR code holds.")
    svg = serializers.CharField()
    png = serializers.CharField(help_text="A data: URI.")


class ScanAnswerSerializer(serializers.Serializer[Any]):
    """Whom an invitation is from; with `confirm`, the connection it made. A code of another kind
    connects nobody: `detail` says what it is, and `url` where it leads."""

    type = serializers.ChoiceField(choices=Kind.choices)
    detail = serializers.CharField(allow_null=True)
    url = serializers.CharField(allow_null=True)
    doctor = DoctorSerializer(allow_null=True)
    connection = ConnectionSerializer(allow_null=True)


class CleanedUpSerializer(serializers.Serializer[Any]):
    deleted = serializers.IntegerField(help_text="How many codes were forgotten.")
