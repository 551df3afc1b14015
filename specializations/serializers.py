"""Shapes of the catalogue."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from common.lines import check_plain_line
from common.serializers import StrictSerializer
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


class PractisedSpecializationSerializer(SpecializationSerializer):
    """As the public catalogue has it."""

    doctor_count = serializers.IntegerField(
        read_only=True, help_text="Doctors in good standing who practise it."
    )

    class Meta(SpecializationSerializer.Meta):
        fields: ClassVar[list[str]] = [*SpecializationSerializer.Meta.fields, "doctor_count"]
        read_only_fields = fields


def _line(length: int, **options: Any) -> serializers.CharField:
    return serializers.CharField(max_length=length, validators=[check_plain_line], **options)


class ChangeSpecializationSerializer(StrictSerializer):
    """What administrators may change: all of it but the code."""

    name_en = _line(Specialization.NAME_LENGTH)
    name_ar = _line(Specialization.NAME_LENGTH)
    aliases = serializers.ListField(
        child=_line(Specialization.ALIAS_LENGTH),
        max_length=Specialization.MOST_ALIASES,
        required=False,
        default=list,
    )
    description_en = _line(Specialization.DESCRIPTION_LENGTH, allow_blank=True, default="")
    description_ar = _line(Specialization.DESCRIPTION_LENGTH, allow_blank=True, default="")
    is_retired = serializers.BooleanField(
        default=False, help_text="Not offered any more; who has it keeps it."
    )


class AddSpecializationSerializer(ChangeSpecializationSerializer):
    code = serializers.SlugField(
        max_length=Specialization.CODE_LENGTH,
        help_text="Its permanent name in addresses; never changed.",
    )
