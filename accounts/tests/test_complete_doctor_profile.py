"""Step 4 for doctors."""

from __future__ import annotations

import io

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.models import DoctorProfile, Role
from accounts.policies import ProfileAlreadyComplete
from accounts.services.applications import LicenceTaken
from accounts.tests.factories import DoctorFactory, png_bytes
from accounts.tests.registering import complete_doctor, scan, verified
from common.documents import InvalidDocument
from common.errors import InvalidInput, NotAllowed
from common.ids import uuid7
from medisync.tests.races import errors, race
from specializations.models import Specialization

pytestmark = pytest.mark.django_db


def stored() -> set[str]:
    """The documents that are in the storage, whoever's they are."""
    try:
        _folders, files = default_storage.listdir("documents")
    except FileNotFoundError:
        return set()
    return {f"documents/{file}" for file in files}


def picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 20), "white").save(buffer, kind)
    return buffer.getvalue()


def test_doctor_waits_for_approval() -> None:
    user = complete_doctor(verified(role=Role.DOCTOR))

    assert user.status == "PENDING_APPROVAL"
    assert user.doctor_profile.licence_number == "EG-000001"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_pictures_are_accepted(kind: str) -> None:
    file = SimpleUploadedFile("scan", picture(kind))

    user = complete_doctor(verified(role=Role.DOCTOR), licence_document=file)

    assert user.status == "PENDING_APPROVAL"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00 a program",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + b"\x00" * 40,
        b"\x89PNG\r\n\x1a\n but nothing behind the signature",
        png_bytes()[:60],
        b"\xff\xd8\xff\xe0 not a photo",
        b"RIFF0000WEBP not one either",
    ],
    ids=["empty", "program", "svg", "gif", "false png", "torn png", "false jpeg", "false webp"],
)
def test_documents_are_judged_by_their_content(content: bytes) -> None:
    file = SimpleUploadedFile("licence.png", content, content_type="image/png")

    with pytest.raises(InvalidDocument) as refused:
        complete_doctor(verified(role=Role.DOCTOR), licence_document=file)

    assert refused.value.attr == "licence_document"
    assert not DoctorProfile.objects.exists()


def test_document_over_the_limit_is_refused(settings) -> None:
    settings.DOCUMENT_MAX_BYTES = 10

    with pytest.raises(InvalidDocument):
        complete_doctor(verified(role=Role.DOCTOR))


def test_name_of_a_document_leaves_no_trace_in_storage() -> None:
    user = complete_doctor(
        verified(role=Role.DOCTOR), licence_document=scan("../../Dr Layla Hassan.png")
    )

    stored = user.doctor_profile.licence_document.name
    assert stored.startswith("documents/")
    assert "Layla" not in stored
    assert ".." not in stored


@pytest.mark.parametrize("is_retired", [True, False], ids=["retired", "unknown"])
def test_specialization_must_be_on_offer(is_retired: bool) -> None:
    retired = Specialization.objects.create(
        code="phrenology", name_en="Phrenology", name_ar="الفراسة", is_retired=True
    )

    with pytest.raises(InvalidInput) as refused:
        complete_doctor(
            verified(role=Role.DOCTOR), specialization_id=retired.pk if is_retired else uuid7()
        )

    assert refused.value.attr == "specialization_id"


def test_licence_belongs_to_one_doctor() -> None:
    licence = DoctorFactory().doctor_profile.licence_number

    with pytest.raises(LicenceTaken):
        complete_doctor(verified(role=Role.DOCTOR), licence_number=licence)


@pytest.mark.parametrize(
    "number",
    [
        " EG-\u200b77 A\u200e",
        "EG-7\ufe0f7 A",
        "EG-7\u034f7 A",
        "EG-77 A\U000e0101",
        "EG-77 A\u3164",
        "EG-77\u00a0A",
        "EG-77  A",
        "EG-77\u2003 A\u3000",
    ],
)
def test_licence_that_only_looks_like_another_is_the_same(number: str) -> None:
    DoctorFactory(profile__licence_number="EG-77 A")

    with pytest.raises(LicenceTaken):
        complete_doctor(verified(role=Role.DOCTOR), licence_number=number)


@pytest.mark.parametrize("number", ["EG\n77", "EG\u202877", "\u200b"])
def test_licence_number_is_a_line_that_can_be_read(number: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        complete_doctor(verified(role=Role.DOCTOR), licence_number=number)

    assert refused.value.attr == "licence_number"


def test_profile_is_completed_once() -> None:
    user = complete_doctor(verified(role=Role.DOCTOR))

    with pytest.raises(ProfileAlreadyComplete):
        complete_doctor(user, licence_number="EG-000002")


def test_patient_cannot_complete_a_doctor_profile() -> None:
    with pytest.raises(NotAllowed):
        complete_doctor(verified(role=Role.PATIENT))


@pytest.mark.django_db(transaction=True)
def test_one_licence_claimed_twice_at_once_belongs_to_one() -> None:
    first = verified(role=Role.DOCTOR)
    second = verified(role=Role.DOCTOR, email="second@example.org")

    racers = race(
        lambda: complete_doctor(first), lambda: complete_doctor(second), gate=DoctorProfile
    )

    assert sorted(errors(racers)) == ["", "LicenceTaken"]
    assert DoctorProfile.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_kept_of_the_documents_of_whoever_lost_that_race() -> None:
    first = verified(role=Role.DOCTOR)
    second = verified(role=Role.DOCTOR, email="second@example.org")
    other, _is_new = Specialization.objects.get_or_create(
        code="neurology", defaults={"name_en": "Neurology", "name_ar": "المخ والأعصاب"}
    )
    before = stored()

    race(
        lambda: complete_doctor(first),
        lambda: complete_doctor(second, specialization_id=other.pk),
        gate=DoctorProfile,
    )

    profile = DoctorProfile.objects.get()
    kept = {profile.licence_document.name, profile.national_id_document.name}
    assert stored() - before == kept
