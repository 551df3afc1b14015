"""Shapes of the directory: what a practice tells everybody, and nothing else of the person."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.models import DoctorProfile, Governorate, SpokenLanguage
from accounts.services.directory import CITY_LENGTH, FEE, TEXT_LENGTH
from common.serializers import CodeField, StrictSerializer
from specializations.models import Specialization
from specializations.serializers import PractisedSpecializationSerializer, SpecializationSerializer


class ListedDoctorSerializer(serializers.ModelSerializer[DoctorProfile]):
    """A doctor as a line of the directory."""

    id = serializers.UUIDField(source="user_id", read_only=True)
    display_name = serializers.CharField(
        source="user.display_name", read_only=True, help_text="With the title."
    )
    first_name = serializers.CharField(source="user.first_name", read_only=True)
    last_name = serializers.CharField(source="user.last_name", read_only=True)
    specialization = SpecializationSerializer(read_only=True)
    governorate = serializers.ChoiceField(
        choices=Governorate.choices, allow_blank=True, read_only=True
    )
    languages = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = DoctorProfile
        fields: ClassVar[list[str]] = [
            "id", "display_name", "first_name", "last_name", "specialization", "city",
            "governorate", "languages", "years_of_experience", "consultation_fee",
        ]  # fmt: skip
        read_only_fields = fields


class DirectoryDoctorSerializer(ListedDoctorSerializer):
    """A doctor with all that patients are told of the practice."""

    class Meta(ListedDoctorSerializer.Meta):
        fields: ClassVar[list[str]] = [
            *ListedDoctorSerializer.Meta.fields, "bio", "clinic_address",
        ]  # fmt: skip
        read_only_fields = fields


class DirectoryFilterSerializer(StrictSerializer):
    """What the directory can be narrowed by."""

    search = serializers.CharField(
        max_length=TEXT_LENGTH,
        required=False,
        help_text="Words of the name, the specialty or the place, in either language; misspelt "
        "ones are found after those written so.",
    )
    specialization = CodeField(
        slug_field="code", queryset=Specialization.objects.all(), required=False
    )
    city = serializers.CharField(max_length=CITY_LENGTH, required=False)
    governorate = serializers.ChoiceField(choices=Governorate.choices, required=False)
    language = serializers.ChoiceField(choices=SpokenLanguage.choices, required=False)
    min_fee = serializers.DecimalField(required=False, **FEE)
    max_fee = serializers.DecimalField(required=False, **FEE)


class DirectoryPageSerializer(DirectoryFilterSerializer):
    """A search, and which part of its answer."""

    cursor = serializers.CharField(
        max_length=60, required=False, help_text="Of `next`; not to be made up."
    )
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)


class DoctorPageSerializer(serializers.Serializer[Any]):
    results = ListedDoctorSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class PopularSerializer(StrictSerializer):
    limit = serializers.IntegerField(min_value=1, max_value=100, default=10)


class SpecializationDetailSerializer(PractisedSpecializationSerializer):
    """A specialty with the first of its doctors."""

    doctors = ListedDoctorSerializer(many=True, read_only=True)
    doctors_url = serializers.URLField(read_only=True, help_text="All of them.")

    class Meta(PractisedSpecializationSerializer.Meta):
        fields: ClassVar[list[str]] = [
            *PractisedSpecializationSerializer.Meta.fields, "doctors", "doctors_url",
        ]  # fmt: skip
        read_only_fields = fields
