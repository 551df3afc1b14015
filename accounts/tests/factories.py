"""People."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import factory
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from accounts.models import (
    ApplicationReview,
    DataExport,
    DoctorProfile,
    PatientProfile,
    Role,
    Sex,
    Status,
    User,
)
from specializations.models import Specialization

PASSWORD = "correct horse battery"


def png_bytes() -> bytes:
    """A small picture, as a scanner would make one."""
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(buffer, "PNG")
    return buffer.getvalue()


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.org")
    first_name = factory.Faker("first_name")
    last_name = factory.Faker("last_name")
    status = Status.ACTIVE
    phone = "+201001234567"

    @factory.post_generation
    def password(self: User, create: bool, extracted: str | None, **kwargs: Any) -> None:
        self.set_password(extracted or PASSWORD)
        self.save(update_fields=["password"])


class PatientFactory(UserFactory):
    role = Role.PATIENT
    profile = factory.RelatedFactory(
        "accounts.tests.factories.PatientProfileFactory", factory_related_name="user"
    )


class PatientProfileFactory(factory.django.DjangoModelFactory[PatientProfile]):
    class Meta:
        model = PatientProfile

    birth_date = dt.date(1990, 5, 17)
    sex = Sex.FEMALE


class DoctorFactory(UserFactory):
    role = Role.DOCTOR
    profile = factory.RelatedFactory(
        "accounts.tests.factories.DoctorProfileFactory", factory_related_name="user"
    )


class DoctorProfileFactory(factory.django.DjangoModelFactory[DoctorProfile]):
    class Meta:
        model = DoctorProfile
        skip_postgeneration_save = True

    specialization = factory.LazyFunction(
        lambda: Specialization.objects.get_or_create(
            code="cardiology", defaults={"name_en": "Cardiology", "name_ar": "أمراض القلب"}
        )[0]
    )
    licence_number = factory.Sequence(lambda n: f"EG-{n:06d}")
    licence_document = factory.LazyFunction(lambda: ContentFile(png_bytes(), "licence.png"))
    national_id_document = factory.LazyFunction(lambda: ContentFile(png_bytes(), "id.png"))

    @factory.post_generation
    def review(self: DoctorProfile, create: bool, extracted: object, **kwargs: Any) -> None:
        """Whoever waits for approval waits in a round of review."""
        if self.user.status == Status.PENDING_APPROVAL:
            ApplicationReview.objects.create(profile=self)


class AdminFactory(UserFactory):
    role = Role.ADMIN


class DataExportFactory(factory.django.DjangoModelFactory[DataExport]):
    """A copy that is ready; what is in it matters to nobody here."""

    class Meta:
        model = DataExport

    status = DataExport.Status.READY
    file = factory.LazyFunction(lambda: ContentFile(b"PK", "copy"))
    size = 2
    ready_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyFunction(lambda: timezone.now() + DataExport.LASTS)
