"""Shapes of what anybody reads off a QR code."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.serializers import StrictSerializer
from qrverify.payloads import LONGEST, Kind
from qrverify.smart.chunks import MOST_CHUNKS


class ReadSerializer(StrictSerializer):
    """The text of one QR code, or those of all parts of a health card, in any order."""

    texts = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST, trim_whitespace=False),
        min_length=1,
        max_length=MOST_CHUNKS,
    )


class CheckedCardSerializer(serializers.Serializer[Any]):
    """A health card of ours, unaltered, in date, and not on the list of revoked ones. What a
    pharmacy has dispensed by it, it cannot tell."""

    issued_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    bundle = serializers.DictField(help_text="FHIR R4.")


class FoundSerializer(serializers.Serializer[Any]):
    """What it is: `url` leads on to our own page for it, or `card` is what a health card says."""

    type = serializers.ChoiceField(source="payload.kind", choices=Kind.choices)
    detail = serializers.CharField(source="payload.purpose")
    url = serializers.CharField(source="payload.url")
    card = CheckedCardSerializer(allow_null=True)
