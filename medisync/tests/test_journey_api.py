"""The main journey over REST, as an app would walk it, with real mail and real tokens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import png_bytes
from accounts.tests.reviewing import approve
from medisync.devstack.mailbox import Mailbox
from medisync.tests.client import sign_in as begin_session
from notifications import outbox
from notifications.models import EmailDelivery
from specializations.models import Specialization

API = "/api/v1"
PASSWORD = "a quite long sentence"


def code_mailed_to(address: str, mailbox: Mailbox) -> str:
    """The code, from the real mail: the worker's part is played by calling its task's code."""
    for delivery in EmailDelivery.objects.filter(to_address=address, status="QUEUED").in_line():
        assert outbox.deliver(delivery.pk)
    text = mailbox.newest(to=address)[0].text
    found = re.search(r"\b([0-9]{6})\b", text)
    assert found, text
    return found[1]


def register(client: APIClient, mailbox: Mailbox, *, role: str, email: str) -> dict[str, Any]:
    begun = client.post(f"{API}/auth/register/init", {"role": role})
    assert begun.status_code == 201, begun.content
    details = {
        "registration_id": begun.json()["registration_id"],
        "email": email,
        "password": PASSWORD,
        "confirm_password": PASSWORD,
        "first_name": "Layla",
        "last_name": "Hassan",
    }
    submitted = client.post(f"{API}/auth/register/basic", details)
    assert submitted.status_code == 201, submitted.content
    verified = client.post(
        f"{API}/auth/register/verify-email",
        {
            "registration_id": details["registration_id"],
            "otp": code_mailed_to(email, mailbox),
        },
    )
    assert verified.status_code == 200, verified.content
    return verified.json()


def sign_in(client: APIClient, email: str) -> dict[str, Any]:
    answer = client.post(f"{API}/auth/login", {"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access_token']}")
    return answer.json()


@pytest.mark.django_db(transaction=True)
def test_prescription_travels_from_doctor_to_pharmacy(mailbox: Mailbox, admin: User) -> None:
    Specialization.objects.get_or_create(
        code="cardiology", defaults={"name_en": "Cardiology", "name_ar": "أمراض القلب"}
    )
    nobody, patient, doctor = APIClient(), APIClient(), APIClient()
    registered = register(nobody, mailbox, role="PATIENT", email="patient@example.org")
    patient.credentials(HTTP_AUTHORIZATION=f"Bearer {registered['onboarding_token']}")
    completed = patient.patch(
        f"{API}/users/{registered['user_id']}/profile",
        {"phone": "+201001234567", "national_id": "29005170100123"},
    )
    assert completed.status_code == 200, completed.content
    assert completed.json()["status"] == "ACTIVE"

    registered = register(nobody, mailbox, role="DOCTOR", email="doctor@example.org")
    doctor.credentials(HTTP_AUTHORIZATION=f"Bearer {registered['onboarding_token']}")
    specialization = nobody.get(f"{API}/specializations").json()[0]
    completed = doctor.patch(
        f"{API}/users/{registered['user_id']}/profile",
        {
            "phone": "+201001234568",
            "specialization_id": specialization["id"],
            "licence_number": "EG-1",
            "licence_document": SimpleUploadedFile("licence.png", png_bytes()),
            "national_id_document": SimpleUploadedFile("id.png", png_bytes()),
        },
        format="multipart",
    )
    assert completed.status_code == 200, completed.content
    assert completed.json()["status"] == "PENDING_APPROVAL"
    sign_in(doctor, "doctor@example.org")
    assert doctor.post(f"{API}/qr/generate", {"type": "CONNECTION"}).status_code == 403
    approve(begin_session(admin), User.objects.get(email="doctor@example.org"))

    sign_in(patient, "patient@example.org")
    shown = doctor.post(f"{API}/qr/generate", {"type": "CONNECTION", "expiry_minutes": 5})
    assert shown.status_code == 201, shown.content
    preview = patient.post(f"{API}/qr/scan", {"token": shown.json()["code"]})
    assert preview.status_code == 200, preview.content
    assert preview.json()["connection"] is None
    confirmed = patient.post(f"{API}/qr/scan", {"token": shown.json()["url"], "confirm": True})
    assert confirmed.status_code == 200, confirmed.content
    connection_id = confirmed.json()["connection"]["id"]

    issued = doctor.post(
        f"{API}/prescriptions/connections/{connection_id}",
        {
            "diagnosis": "Hypertension",
            "items": [
                {"medicine": "Amlodipine", "strength": "5 mg", "frequency": 1,
                 "duration_days": 30, "quantity": 30}
            ],
        },
    )  # fmt: skip
    assert issued.status_code == 201, issued.content
    mine = patient.get(f"{API}/prescriptions/my-prescriptions").json()["results"]
    assert [row["id"] for row in mine] == [issued.json()["id"]]
    sheet = patient.get(f"{API}/prescriptions/{issued.json()['id']}/pdf?size=A5&language=ar")
    assert sheet.content.startswith(b"%PDF-")
    told = patient.get(f"{API}/notifications").json()["results"]
    assert told[0]["kind"] == "PRESCRIPTION_ISSUED"

    url = issued.json()["verification_url"]
    found = re.search(r"/verify/(.+)\?v=(\d+)&h=(\w+)$", url)
    assert found, url
    verified = nobody.post(
        f"{API}/qr/verify",
        {"code": found[1], "version": int(found[2]), "content_hash": found[3]},
    )
    assert verified.json()["outcome"] == "authentic"
    assert verified.json()["state"] == "active"
