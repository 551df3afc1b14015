"""Shapes of what patients and doctors tell about themselves, in and out alike."""

from __future__ import annotations

from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers

from accounts.models import AllergyIntolerance, BloodType, Governorate, Sex, SpokenLanguage
from accounts.models.health import validate_since
from accounts.models.profiles import EXPERIENCE_YEARS, FEE_EGP, HEIGHT_CM, WEIGHT_KG
from common.serializers import StrictSerializer


class SinceField(serializers.CharField):
    def __init__(self) -> None:
        super().__init__(
            max_length=10,
            allow_blank=True,
            required=False,
            validators=[validate_since],
            help_text="A year, a month or a day: 2015, 2015-03, 2015-03-20.",
        )


class PatientPartSerializer(StrictSerializer):
    birth_date = serializers.DateField(read_only=True)
    sex = serializers.ChoiceField(choices=Sex.choices, read_only=True)
    blood_type = serializers.ChoiceField(
        choices=BloodType.choices, allow_blank=True, required=False
    )
    height_cm = serializers.IntegerField(
        min_value=HEIGHT_CM[0], max_value=HEIGHT_CM[1], allow_null=True, required=False
    )
    weight_kg = serializers.DecimalField(
        max_digits=4,
        decimal_places=1,
        min_value=WEIGHT_KG[0],
        max_value=WEIGHT_KG[1],
        allow_null=True,
        required=False,
    )
    address = serializers.CharField(max_length=300, allow_blank=True, required=False)
    city = serializers.CharField(max_length=80, allow_blank=True, required=False)
    governorate = serializers.ChoiceField(
        choices=Governorate.choices, allow_blank=True, required=False, help_text="ISO 3166-2."
    )


class DoctorPartSerializer(StrictSerializer):
    specialization = serializers.CharField(
        source="specialization.code", read_only=True, help_text="Its code."
    )
    licence_number = serializers.CharField(read_only=True)
    bio = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    years_of_experience = serializers.IntegerField(
        min_value=EXPERIENCE_YEARS[0],
        max_value=EXPERIENCE_YEARS[1],
        allow_null=True,
        required=False,
    )
    consultation_fee = serializers.DecimalField(
        max_digits=8,
        decimal_places=2,
        min_value=FEE_EGP[0],
        max_value=FEE_EGP[1],
        allow_null=True,
        required=False,
        help_text="In Egyptian pounds.",
    )
    languages = serializers.ListField(
        child=serializers.ChoiceField(choices=SpokenLanguage.choices),
        max_length=len(SpokenLanguage),
        required=False,
        help_text="ISO 639-1.",
    )
    clinic_address = serializers.CharField(max_length=300, allow_blank=True, required=False)
    city = serializers.CharField(max_length=80, allow_blank=True, required=False)
    governorate = serializers.ChoiceField(
        choices=Governorate.choices, allow_blank=True, required=False, help_text="ISO 3166-2."
    )


class EntrySerializer(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)


class AllergySerializer(EntrySerializer):
    substance = serializers.CharField(max_length=120)
    criticality = serializers.ChoiceField(
        choices=AllergyIntolerance.Criticality.choices, required=False
    )
    reaction = serializers.CharField(max_length=200, allow_blank=True, required=False)
    note = serializers.CharField(max_length=500, allow_blank=True, required=False)


class ConditionSerializer(EntrySerializer):
    name = serializers.CharField(max_length=200)
    since = SinceField()
    note = serializers.CharField(max_length=500, allow_blank=True, required=False)


class MedicationSerializer(EntrySerializer):
    name = serializers.CharField(max_length=200)
    dosage = serializers.CharField(max_length=200, allow_blank=True, required=False)
    since = SinceField()


class EmergencyContactSerializer(EntrySerializer):
    name = serializers.CharField(max_length=160)
    relationship = serializers.CharField(max_length=60, allow_blank=True, required=False)
    phone = PhoneNumberField()
    email = serializers.EmailField(
        max_length=254,
        allow_blank=True,
        required=False,
        help_text="Written to when somebody opens the emergency card.",
    )
