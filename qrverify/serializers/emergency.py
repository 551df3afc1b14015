"""Shapes of emergency cards, in and out."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.models import Language, SpokenLanguage
from common.serializers import StrictSerializer
from qrverify.emergency_paper import SIZES
from qrverify.models import CardField, EmergencyCard, EmergencyScan
from qrverify.services.emergency import FROM_PROFILE, Choice


class CardLineSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    detail = serializers.CharField(help_text="Its parts stand in Unicode isolates.")
    phone = serializers.CharField(help_text="To be called; empty where there is none.")
    is_grave = serializers.BooleanField(help_text="Whether it may be life-threatening.")


class ShownCardPartSerializer(serializers.Serializer[Any]):
    """One field, in words and in the caller's language. Without lines, nothing is entered."""

    field = serializers.ChoiceField(choices=CardField.choices)
    label = serializers.CharField()  # type: ignore[assignment]
    lines = CardLineSerializer(many=True)
    confirmed_at = serializers.DateTimeField(
        help_text="When the patient last said that it is right."
    )
    is_changed = serializers.BooleanField(help_text="Whether it reads otherwise since then.")


class CardPartSerializer(ShownCardPartSerializer):
    confirmed_at = serializers.DateTimeField(
        allow_null=True, help_text="Until it is confirmed, nobody but you sees it."
    )
    is_stale = serializers.BooleanField(help_text="Whether it was confirmed over a year ago.")
    version = serializers.CharField(help_text="What you name when you confirm it.")


class EmergencyCardSerializer(serializers.Serializer[Any]):
    """A patient's own card, as it reads now. Made of an `EmergencyContent`."""

    id = serializers.UUIDField(source="card.pk")
    created_at = serializers.DateTimeField(source="card.created_at")
    url = serializers.CharField(source="card.url", help_text="What its QR code holds.")
    outer_name = serializers.CharField(
        source="card.outer_name", help_text="What the outside says of who it is; may be empty."
    )
    shows_name = serializers.BooleanField(source="card.shows_name")
    languages = serializers.ListField(
        source="card.languages", child=serializers.ChoiceField(choices=SpokenLanguage.choices)
    )
    note = serializers.CharField(source="card.note")
    parts = CardPartSerializer(many=True)


class CardChoiceSerializer(StrictSerializer):
    """What a card shall show. Valid, it is a `Choice`."""

    shows = serializers.ListField(
        child=serializers.ChoiceField(choices=[(one.value, one.label) for one in FROM_PROFILE]),
        max_length=len(FROM_PROFILE),
        help_text="Read from the profile and the lists when the card is opened.",
    )
    languages = serializers.ListField(
        child=serializers.ChoiceField(choices=SpokenLanguage.choices),
        max_length=len(SpokenLanguage),
        required=False,
        help_text="Shown if there are any. ISO 639-1.",
    )
    note = serializers.CharField(
        max_length=EmergencyCard.NOTE_LENGTH,
        allow_blank=True,
        required=False,
        help_text="Shown if there is one.",
    )
    shows_name = serializers.BooleanField(
        required=False, help_text="First name and initial on the outside."
    )

    def validate(self, attrs: dict[str, Any]) -> Choice:
        return Choice(**attrs)


class SeenFieldSerializer(StrictSerializer):
    field = serializers.ChoiceField(choices=CardField.choices)
    version = serializers.RegexField(r"\A[0-9a-f]{64}\Z", max_length=64)


class ConfirmFieldsSerializer(StrictSerializer):
    """Fields that are right, each in the version that the card was read in."""

    seen = serializers.ListField(
        child=SeenFieldSerializer(), allow_empty=False, max_length=len(CardField)
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        return {one["field"]: one["version"] for one in attrs["seen"]}


class ReissueCardSerializer(StrictSerializer):
    card_id = serializers.UUIDField(help_text="The card that it replaces.")


class EmergencyScanSerializer(serializers.ModelSerializer[EmergencyScan]):
    """One opening of your card. Name and reason are as the responder typed them."""

    class Meta:
        model = EmergencyScan
        fields: ClassVar[list[str]] = [
            "id", "created_at", "responder_name", "reason_code", "reason", "contacts_told",
            "event_id",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "event_id": {"help_text": "The act in the access log, by which you question it."}
        }


class OpenCardSerializer(StrictSerializer):
    """Who opens a card, and why."""

    token = serializers.CharField(
        max_length=500, help_text="The address in the QR code, or the last part of it."
    )
    responder_name = serializers.CharField(max_length=EmergencyScan.NAME_LENGTH)
    reason_code = serializers.ChoiceField(choices=EmergencyScan.Reason.choices)
    reason = serializers.CharField(
        max_length=EmergencyScan.REASON_LENGTH,
        allow_blank=True,
        required=False,
        help_text="In a few words; has to be given with `OTHER`.",
    )


class OpenedCardSerializer(serializers.Serializer[Any]):
    """What the patient lets responders see, the most urgent first."""

    opened_at = serializers.DateTimeField(source="scan.created_at")
    parts = ShownCardPartSerializer(source="content.shown", many=True)


class PrintCardSerializer(StrictSerializer):
    language = serializers.ChoiceField(
        choices=Language.choices, required=False, help_text="Of the instructions beside the card."
    )


class WallpaperSizeSerializer(StrictSerializer):
    size = serializers.ChoiceField(choices=SIZES, required=False, help_text="In pixels.")
