"""Shapes of a doctor's application."""

from __future__ import annotations

from typing import ClassVar

from rest_framework import serializers

from accounts.models import ApplicationReview, CorrectionStep, DoctorProfile, Status, User
from common.serializers import StrictSerializer


class NameSerializer(StrictSerializer):
    first_name = serializers.CharField(max_length=User.NAME_LENGTH)
    last_name = serializers.CharField(max_length=User.NAME_LENGTH)


class PracticeSerializer(StrictSerializer):
    specialization_id = serializers.UUIDField()
    licence_number = serializers.CharField(max_length=DoctorProfile.LICENCE_LENGTH)


class LicenceDocumentSerializer(StrictSerializer):
    licence_document = serializers.FileField()


class NationalIdDocumentSerializer(StrictSerializer):
    national_id_document = serializers.FileField()


CORRECTION_SHAPES: dict[str, type[StrictSerializer]] = {
    CorrectionStep.NAME: NameSerializer,
    CorrectionStep.PRACTICE: PracticeSerializer,
    CorrectionStep.LICENCE_DOCUMENT: LicenceDocumentSerializer,
    CorrectionStep.NATIONAL_ID_DOCUMENT: NationalIdDocumentSerializer,
}


class CorrectionSerializer(StrictSerializer):
    """The fields of the step asked for, and no other; documents as multipart."""

    first_name = serializers.CharField(max_length=User.NAME_LENGTH, required=False)
    last_name = serializers.CharField(max_length=User.NAME_LENGTH, required=False)
    specialization_id = serializers.UUIDField(required=False)
    licence_number = serializers.CharField(max_length=DoctorProfile.LICENCE_LENGTH, required=False)


class CorrectionDocumentsSerializer(CorrectionSerializer):
    licence_document = serializers.FileField(required=False)
    national_id_document = serializers.FileField(required=False)


class ApplicationSerializer(serializers.ModelSerializer[ApplicationReview]):
    """How the own application stands: the newest round of looking at it."""

    status = serializers.ChoiceField(source="profile.user.status", choices=Status.choices)
    waiting_since = serializers.DateTimeField(source="created_at")

    class Meta:
        model = ApplicationReview
        fields: ClassVar[list[str]] = [
            "status", "waiting_since", "decision", "decided_at", "return_step", "reason_code",
            "note",
        ]  # fmt: skip
        read_only_fields = fields
