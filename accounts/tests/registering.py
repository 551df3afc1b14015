"""The way through registration, for tests that begin in the middle of it."""

from __future__ import annotations

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import CodeHolder, Registration, Role, User
from accounts.services.applications import DoctorDetails, complete_doctor_profile
from accounts.services.registration import (
    PatientDetails,
    complete_patient_profile,
    start_registration,
    submit_details,
    verify_email,
)
from accounts.tests.factories import png_bytes
from notifications.models import EmailDelivery
from specializations.models import Specialization

PASSWORD = "a quite long sentence"
PHONE = "+201001234567"
NATIONAL_ID = "29005170100123"


def registering(
    *, role: Role = Role.PATIENT, email: str = "layla@example.org", **changes: Any
) -> Registration:
    """Someone who has done step 2 and got a code."""
    started = start_registration(role=role, language=changes.pop("language", "en"))
    details = {"password": PASSWORD, "first_name": "Layla", "last_name": "Hassan"} | changes
    return submit_details(registration_id=started.pk, email=email, **details)


def code_of(holder: CodeHolder) -> str:
    """The code on its way to them, as the outbox keeps it until it is sent."""
    delivery = EmailDelivery.objects.filter(
        idempotency_key__startswith=f"{holder._meta.model_name}:{holder.pk}:"
    ).latest("created_at")
    return json.loads(delivery.secret_context)["code"]


def wrong_code(holder: CodeHolder) -> str:
    return f"{(int(code_of(holder)) + 1) % 10**6:06d}"


def verified(**changes: Any) -> User:
    """Someone who has done step 3."""
    registration = registering(**changes)
    return verify_email(registration_id=registration.pk, code=code_of(registration))


def scan(name: str = "licence.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, png_bytes(), content_type="image/png")


def complete_patient(user: User, **changes: Any) -> User:
    details = {"phone": PHONE, "national_id": NATIONAL_ID} | changes
    return complete_patient_profile(user_id=user.pk, details=PatientDetails(**details))


def complete_doctor(user: User, **changes: Any) -> User:
    specialization, _ = Specialization.objects.get_or_create(
        code="cardiology", defaults={"name_en": "Cardiology", "name_ar": "أمراض القلب"}
    )
    details = {
        "phone": PHONE,
        "specialization_id": specialization.pk,
        "licence_number": "EG-000001",
        "licence_document": scan(),
        "national_id_document": scan("id.png"),
    } | changes
    return complete_doctor_profile(user_id=user.pk, details=DoctorDetails(**details))
