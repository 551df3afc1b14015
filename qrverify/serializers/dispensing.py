"""Shapes of dispensing by a pharmacist without an account."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.serializers import StrictSerializer
from prescriptions.models import DispenseClaim, PrescriptionItem, Route
from prescriptions.numbers import as_read_out
from prescriptions.services.dispensing import Line
from qrverify.services.dispensing import PASS_LENGTH, SECRET_TYPED_LENGTH

MANY = 2**31 - 1


class OpenSerializer(StrictSerializer):
    code = serializers.CharField(max_length=64, help_text="The secret in the QR code's address.")
    pin = serializers.RegexField(
        r"\A\d{6}\Z", max_length=6, help_text="Six digits, which the patient knows."
    )


class ClaimSerializer(StrictSerializer):
    client_id = serializers.UUIDField(
        help_text="Made by the client; sending the same again with the same pass returns the "
        "first claim."
    )
    pharmacy_name = serializers.CharField(max_length=160)
    pharmacist_name = serializers.CharField(max_length=160)
    licence_number = serializers.CharField(max_length=40)
    access_code = serializers.CharField(
        max_length=SECRET_TYPED_LENGTH,
        required=False,
        allow_blank=True,
        help_text="Of an approved pharmacy; needed for controlled medicines where only those "
        "dispense them.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`pass` is a word of Python's."""
        passed = serializers.CharField(
            max_length=PASS_LENGTH, source="passed", help_text="As `dispensing/open` gave it."
        )
        return {"pass": passed, **super().get_fields()}


class HeldSerializer(StrictSerializer):
    claim = serializers.CharField(
        max_length=SECRET_TYPED_LENGTH, help_text="The claim's secret; never put it in an address."
    )


class LineSerializer(StrictSerializer):
    position = serializers.IntegerField(min_value=1, max_value=MANY)
    quantity = serializers.IntegerField(min_value=1, max_value=PrescriptionItem.MAX_QUANTITY)


class DispenseSerializer(HeldSerializer):
    client_id = serializers.UUIDField(
        help_text="Made by the client; sending the same again dispenses nothing more."
    )
    lines = serializers.ListField(child=LineSerializer(), min_length=1, max_length=30)

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[Line]:
        return [Line(**line) for line in lines]


class WithdrawSerializer(HeldSerializer):
    dispense_id = serializers.UUIDField()


class SentenceSerializer(serializers.Serializer[Any]):
    en = serializers.CharField(source="dosage_en")
    ar = serializers.CharField(source="dosage_ar")


class MedicineSerializer(serializers.Serializer[Any]):
    position = serializers.IntegerField(source="item.position")
    medicine = serializers.CharField(source="item.medicine")
    strength = serializers.CharField(source="item.strength")
    route = serializers.ChoiceField(source="item.route", choices=Route.choices)
    dosage = SentenceSerializer(source="*", help_text="How to take it, in both languages.")
    instructions = serializers.CharField(source="item.instructions")
    controlled = serializers.BooleanField(source="item.is_controlled")
    quantity = serializers.IntegerField(source="item.quantity", help_text="Of one fill.")
    refills = serializers.IntegerField(source="item.refills")
    fill = serializers.IntegerField(
        source="fill.number", help_text="0 is the first fill, 1 the first refill."
    )
    left_in_all = serializers.IntegerField(source="fill.left_in_all")
    available = serializers.IntegerField(help_text="How much may be handed out today.")
    opens_on = serializers.DateField(
        allow_null=True, help_text="The day of the next refill, where it is still to come."
    )


class FindingSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    reason = serializers.CharField(help_text="Why it was prescribed all the same.")


class ContentSerializer(serializers.Serializer[Any]):
    number = serializers.CharField(source="prescription.number")
    version = serializers.IntegerField(source="prescription.version")
    patient_name = serializers.CharField(source="prescription.patient.full_name")
    patient_birth_year = serializers.IntegerField(source="birth_year")
    prescriber_name = serializers.CharField(source="prescription.prescriber_name")
    valid_until = serializers.DateField(source="prescription.valid_until")
    notes = serializers.CharField(source="prescription.notes")
    safety = FindingSerializer(
        source="findings", many=True, help_text="What the safety check found."
    )
    items = MedicineSerializer(source="medicines", many=True)


class OpenedSerializer(serializers.Serializer[Any]):
    content = ContentSerializer()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`pass` is a word of Python's."""
        passed = serializers.CharField(
            source="passed", help_text="Good for half an hour; never put it in an address."
        )
        return {"pass": passed, **super().get_fields()}


class HandedSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="dispense.id")
    position = serializers.IntegerField(source="dispense.item.position")
    quantity = serializers.IntegerField(source="dispense.quantity")
    dispensed_at = serializers.DateTimeField(source="dispense.dispensed_at")
    withdrawn_at = serializers.DateTimeField(source="dispense.withdrawn_at", allow_null=True)
    withdrawable = serializers.BooleanField(source="is_withdrawable")


class HeldContentSerializer(serializers.Serializer[Any]):
    """A claim as its holder sees it. The context has its secret."""

    claim = serializers.SerializerMethodField(help_text="Its secret. Keep it.")
    id = serializers.UUIDField(source="claim.id")
    pharmacy_name = serializers.CharField(source="claim.pharmacy_name")
    pharmacist_name = serializers.CharField(source="claim.pharmacist_name")
    licence_number = serializers.CharField(source="claim.licence_number")
    approved = serializers.BooleanField(
        source="claim.is_approved", help_text="Else the three names are as they state them."
    )
    claimed_at = serializers.DateTimeField(source="claim.claimed_at")
    expires_at = serializers.DateTimeField(source="claim.expires_at")
    ended_at = serializers.DateTimeField(source="claim.ended_at", allow_null=True)
    end_reason = serializers.ChoiceField(
        source="claim.end_reason", choices=DispenseClaim.EndReason.choices, allow_blank=True
    )
    stop_requested = serializers.BooleanField(
        source="is_stop_requested", help_text="Dispense nothing more, and give it back."
    )
    dispenses = HandedSerializer(source="handed", many=True)
    content = ContentSerializer(
        allow_null=True, help_text="What is prescribed; null when the claim is over."
    )

    def get_claim(self, held: Any) -> str:
        return as_read_out(self.context["secret"])
