"""Shapes of QR codes and verification, in and out."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.serializers import StrictSerializer
from connections.serializers import ConnectionSerializer, DoctorSerializer
from prescriptions.models import Prescription
from qrverify.models import QrToken
from qrverify.services import Outcome


class GenerateSerializer(StrictSerializer):
    type = serializers.ChoiceField(choices=QrToken.Type.choices)
    expiry_minutes = serializers.IntegerField(min_value=1, max_value=60, required=False)


class ScanSerializer(StrictSerializer):
    token = serializers.CharField(
        max_length=500, help_text="The link in the QR code, its last part, or the typed code."
    )
    confirm = serializers.BooleanField(required=False)


class ValidateSerializer(StrictSerializer):
    token = serializers.CharField(max_length=500)


class VerifySerializer(StrictSerializer):
    code = serializers.CharField(max_length=64)
    version = serializers.IntegerField(min_value=1, max_value=32767)
    content_hash = serializers.RegexField(r"\A[0-9a-f]{16}\Z", max_length=16)


class TokenSerializer(serializers.ModelSerializer[QrToken]):
    state = serializers.SerializerMethodField()

    class Meta:
        model = QrToken
        fields: ClassVar[list[str]] = ["id", "type", "state", "created_at", "expires_at"]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=QrToken.State.choices))
    def get_state(self, token: QrToken) -> str:
        return token.state(timezone.now())


class ShownTokenSerializer(serializers.Serializer[Any]):
    """The secrets are in this one answer and nowhere else."""

    id = serializers.UUIDField(source="token.id")
    type = serializers.CharField(source="token.type")
    expires_at = serializers.DateTimeField(source="token.expires_at")
    token = serializers.CharField(source="secret")
    code = serializers.CharField(help_text="For typing.")
    url = serializers.CharField(help_text="What the QR code holds.")
    svg = serializers.CharField()
    png = serializers.CharField(help_text="A data: URI.")


class ScanAnswerSerializer(serializers.Serializer[Any]):
    """Whom the code is from; with `confirm`, the connection it made."""

    doctor = DoctorSerializer()
    connection = ConnectionSerializer(allow_null=True)


class VerificationSerializer(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    state = serializers.ChoiceField(choices=Prescription.State.choices, allow_null=True)
    number = serializers.CharField(source="prescription.number", default=None, allow_null=True)
    version = serializers.IntegerField(source="prescription.version", default=None, allow_null=True)
    issued_at = serializers.DateTimeField(
        source="prescription.issued_at", default=None, allow_null=True
    )
    valid_until = serializers.DateField(
        source="prescription.valid_until", default=None, allow_null=True
    )
    prescriber_name = serializers.CharField(
        source="prescription.prescriber_name", default=None, allow_null=True
    )
    prescriber_licence_number = serializers.CharField(
        source="prescription.prescriber_licence_number", default=None, allow_null=True
    )
    item_count = serializers.SerializerMethodField()

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_item_count(self, verification: Any) -> int | None:
        found = verification.prescription
        return None if found is None else len(found.items.all())
