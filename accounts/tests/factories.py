"""People."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import factory
from django.core.files.base import ContentFile
from PIL import Image

from accounts.models import DoctorProfile, PatientProfile, Role, Sex, Status, User
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

    specialization = factory.LazyFunction(
        lambda: Specialization.objects.get_or_create(
            code="cardiology", defaults={"name_en": "Cardiology", "name_ar": "أمراض القلب"}
        )[0]
    )
    licence_number = factory.Sequence(lambda n: f"EG-{n:06d}")
    licence_document = factory.LazyFunction(lambda: ContentFile(png_bytes(), "licence.png"))
    national_id_document = factory.LazyFunction(lambda: ContentFile(png_bytes(), "id.png"))


class AdminFactory(UserFactory):
    role = Role.ADMIN
