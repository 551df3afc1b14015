"""Shapes of prescriptions, in and out."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.clock import clinic_date
from common.languages import spoken
from common.serializers import StrictSerializer
from connections.serializers.connections import PersonSerializer
from prescriptions import safety
from prescriptions.fills import Fill, fill_of
from prescriptions.findings import kept_report
from prescriptions.models import (
    FrequencyUnit,
    Prescription,
    PrescriptionItem,
    Route,
    StopReason,
)
from prescriptions.services.checking import Override
from prescriptions.services.issuing import Item, Order
from prescriptions.sig import dosage_sentence

STOPPED = {Prescription.Status.STOPPED, Prescription.Status.ENTERED_IN_ERROR}


class ItemInputSerializer(StrictSerializer):
    medicine = serializers.CharField(max_length=200)
    strength = serializers.CharField(max_length=80, required=False, allow_blank=True)
    route = serializers.ChoiceField(choices=Route.choices, required=False)
    frequency = serializers.IntegerField(min_value=1, max_value=24, required=False, allow_null=True)
    frequency_unit = serializers.ChoiceField(choices=FrequencyUnit.choices, required=False)
    as_needed = serializers.BooleanField(required=False)
    duration_days = serializers.IntegerField(
        min_value=1,
        max_value=PrescriptionItem.MAX_DURATION_DAYS,
        required=False,
        allow_null=True,
    )
    quantity = serializers.IntegerField(min_value=1, max_value=PrescriptionItem.MAX_QUANTITY)
    refills = serializers.IntegerField(
        min_value=0, max_value=PrescriptionItem.MAX_REFILLS, required=False
    )
    instructions = serializers.CharField(max_length=500, required=False, allow_blank=True)


class OverrideSerializer(StrictSerializer):
    warning = serializers.CharField(max_length=64, help_text="The key of the warning.")
    reason_code = serializers.ChoiceField(
        choices=safety.OverrideReason.choices, required=False, help_text="Left out: `OTHER`."
    )
    reason = serializers.CharField(
        max_length=300,
        required=False,
        allow_blank=True,
        help_text="In the prescriber's words. Needed where the code is `OTHER`.",
    )


class OrderSerializer(StrictSerializer):
    """All of a prescription but whom it is for."""

    items = serializers.ListField(
        child=ItemInputSerializer(), min_length=1, max_length=Prescription.MAX_ITEMS
    )
    diagnosis = serializers.CharField(max_length=500, required=False, allow_blank=True)
    notes = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    valid_until = serializers.DateField(
        required=False, help_text="Left out: thirty days, and as long again as its refills last."
    )
    client_id = serializers.UUIDField(
        required=False,
        help_text="Made by the client; sending the same again returns the first prescription.",
    )
    override_warnings = serializers.ListField(
        child=OverrideSerializer(),
        required=False,
        max_length=200,
        source="overrides",
        help_text="Each warning of the safety check that is known, and why it is prescribed.",
    )

    def validate_override_warnings(self, overrides: list[dict[str, Any]]) -> list[Override]:
        return [Override(**override) for override in overrides]

    def validate_items(self, items: list[dict[str, Any]]) -> list[Item]:
        return [Item(**item) for item in items]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = Order.__dataclass_fields__
        order = Order(**{name: value for name, value in attrs.items() if name in names})
        return {name: value for name, value in attrs.items() if name not in names} | {
            "order": order
        }


class IssuePrescriptionSerializer(OrderSerializer):
    refill_request_id = serializers.UUIDField(
        required=False, help_text="The patient's request for the same again that it answers."
    )


class StopSerializer(StrictSerializer):
    reason = serializers.ChoiceField(choices=StopReason.choices)
    note = serializers.CharField(
        max_length=300,
        required=False,
        allow_blank=True,
        help_text="The patient reads it. Needed where the reason is `OTHER`.",
    )


class MedicineToCheckSerializer(ItemInputSerializer):
    quantity = serializers.IntegerField(
        min_value=1, max_value=PrescriptionItem.MAX_QUANTITY, required=False
    )


class CheckSerializer(StrictSerializer):
    """What is to be compared; of each item the medicine and its route count."""

    items = serializers.ListField(
        child=MedicineToCheckSerializer(), min_length=1, max_length=Prescription.MAX_ITEMS
    )
    replaces_id = serializers.UUIDField(
        required=False, help_text="Your prescription that it would replace as another version."
    )
    refill_request_id = serializers.UUIDField(
        required=False, help_text="The patient's request for the same again that it would answer."
    )

    def validate_items(self, items: list[dict[str, Any]]) -> list[Item]:
        return [Item(**{"quantity": 1, **item}) for item in items]


class WarningSerializer(serializers.Serializer[Any]):
    """A conflict. What the reader may not know is null."""

    key = serializers.CharField(help_text="What `override_warnings` names it by.")
    kind = serializers.ChoiceField(choices=[(str(kind), str(kind)) for kind in safety.Concern])
    severity = serializers.ChoiceField(choices=[(str(each), str(each)) for each in safety.Severity])
    position = serializers.IntegerField(help_text="Of the item, from 1.")
    medicine = serializers.CharField()
    against = serializers.CharField(allow_null=True)
    sentence = serializers.CharField(help_text="In the caller's language.")
    source = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="Where the rule is taken from."
    )
    source_date = serializers.CharField(allow_null=True)
    reason_code = serializers.ChoiceField(
        choices=safety.OverrideReason.choices,
        allow_null=True,
        help_text="Why it is prescribed all the same.",
    )
    reason = serializers.CharField(allow_null=True, help_text="The same in the prescriber's words.")
    reason_sentence = serializers.CharField(
        allow_null=True, help_text="Both, in the caller's language."
    )


class UncheckedSerializer(serializers.Serializer[Any]):
    """A name that could not be compared with anything."""

    position = serializers.IntegerField(
        allow_null=True, help_text="Of the item; null for what was known of the patient before."
    )
    name = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(choices=[(str(kind), str(kind)) for kind in safety.Kind])
    suggestion = serializers.CharField(allow_null=True, help_text="What may have been meant.")
    sentence = serializers.CharField(help_text="In the caller's language.")


class ReportSerializer(serializers.Serializer[Any]):
    """What the safety check found."""

    warnings = WarningSerializer(many=True)
    unchecked = UncheckedSerializer(many=True)


class ItemSerializer(serializers.ModelSerializer[PrescriptionItem]):
    """To the reader of its prescription. What pharmacies handed out is null to a doctor who reads
    it by the patient's grant, and told to a prescriber until the two part."""

    dosage = serializers.SerializerMethodField(help_text="A sentence in the caller's language.")
    dispensed_quantity = serializers.SerializerMethodField(help_text="In all, refills included.")
    left_quantity = serializers.SerializerMethodField(help_text="In all, refills included.")
    refills_left = serializers.SerializerMethodField(help_text="Refills not begun yet.")
    next_fill_from = serializers.SerializerMethodField(
        help_text="The day from which the next refill may be dispensed; null where none waits."
    )

    class Meta:
        model = PrescriptionItem
        fields: ClassVar[list[str]] = [
            "position", "medicine", "strength", "route", "frequency", "frequency_unit",
            "as_needed", "duration_days", "quantity", "refills", "instructions", "dosage",
            "is_controlled", "dispensed_quantity", "left_quantity", "refills_left",
            "next_fill_from",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_dosage(self, item: PrescriptionItem) -> str:
        return dosage_sentence(item, spoken())

    def get_dispensed_quantity(self, item: PrescriptionItem) -> int | None:
        fill = self._fill(item)
        return item.total_quantity - fill.left_in_all if fill else None

    def get_left_quantity(self, item: PrescriptionItem) -> int | None:
        fill = self._fill(item)
        return fill.left_in_all if fill else None

    def get_refills_left(self, item: PrescriptionItem) -> int | None:
        fill = self._fill(item)
        if fill is None:
            return None
        return 0 if fill.is_done else item.refills - fill.number

    def get_next_fill_from(self, item: PrescriptionItem) -> dt.date | None:
        fill = self._fill(item)
        return fill.opens_on if fill else None

    def _fill(self, item: PrescriptionItem) -> Fill | None:
        """How far it was dispensed, as far as the reader is told."""
        prescription, reader = item.prescription, self.context["reader"]
        if prescription.is_shared_with(reader):
            return None
        return fill_of(item, item.dispenses.all(), until=prescription.told_until(reader))


class PrescriptionSerializer(serializers.ModelSerializer[Prescription]):
    """To one reader, whom the context names: `reader`. Asks for rows `with_course`."""

    connection = serializers.SerializerMethodField(
        help_text="Of its patient and its prescriber; null to anybody else."
    )
    patient = PersonSerializer(read_only=True)
    doctor = PersonSerializer(read_only=True)
    state = serializers.SerializerMethodField()
    status_reason = serializers.SerializerMethodField(help_text="Why it is, or will be, stopped.")
    stopped_at = serializers.SerializerMethodField()
    replaced_by = serializers.UUIDField(
        source="replaced_by_id", allow_null=True, read_only=True, help_text="The next version."
    )
    items = ItemSerializer(many=True, read_only=True)
    safety = serializers.SerializerMethodField(
        help_text="What the safety check found; null to a doctor who reads by the patient's grant."
    )
    verification_url = serializers.SerializerMethodField(
        help_text="What its QR says; null to a doctor who reads it by the patient's grant, and to "
        "a prescriber once the two have parted."
    )
    pin = serializers.SerializerMethodField(
        help_text="What a pharmacist asks the patient for; null to anybody else."
    )
    code_made_at = serializers.SerializerMethodField(
        help_text="When its code and PIN were made; null to anybody but the patient."
    )

    class Meta:
        model = Prescription
        fields: ClassVar[list[str]] = [
            "id", "number", "version", "state", "status_reason", "status_note", "stopped_at",
            "stop_requested_at", "replaces", "replaced_by", "connection", "patient", "doctor",
            "prescriber_name", "prescriber_licence_number", "diagnosis", "notes",
            "issued_at", "valid_until", "items", "safety", "verification_url", "pin",
            "code_made_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_connection(self, prescription: Prescription) -> UUID | None:
        return None if self._is_copy(prescription) else prescription.connection_id

    @extend_schema_field(serializers.ChoiceField(choices=Prescription.State.choices))
    def get_state(self, prescription: Prescription) -> str:
        return prescription.state_told(self.context["reader"], clinic_date())

    @extend_schema_field(serializers.ChoiceField(choices=StopReason.choices, allow_null=True))
    def get_status_reason(self, prescription: Prescription) -> str | None:
        return prescription.status_reason or None

    def get_stopped_at(self, prescription: Prescription) -> dt.datetime | None:
        is_stopped = prescription.status in STOPPED
        return prescription.status_at if is_stopped else None

    @extend_schema_field(ReportSerializer(allow_null=True))
    def get_safety(self, prescription: Prescription) -> dict[str, Any] | None:
        """It names allergies, which are shared by another grant."""
        if self._is_copy(prescription):
            return None
        return kept_report(prescription, self.context["reader"], spoken())

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_verification_url(self, prescription: Prescription) -> str | None:
        has_code = prescription.gives_code_to(self.context["reader"])
        return prescription.verification_url if has_code else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_pin(self, prescription: Prescription) -> str | None:
        is_own = self.context["reader"].pk == prescription.patient_id
        return prescription.pin if is_own and prescription.is_dispensable(clinic_date()) else None

    def get_code_made_at(self, prescription: Prescription) -> dt.datetime | None:
        is_own = self.context["reader"].pk == prescription.patient_id
        return prescription.code_made_at if is_own else None

    def _is_copy(self, prescription: Prescription) -> bool:
        return prescription.is_shared_with(self.context["reader"])
