"""Everybody, signed in, and one of everything: what tests over all routes ask."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import DeviceSession, OneTimeCode, Registration, Role, Status, User
from accounts.services.registration import start_registration
from accounts.tests.factories import PASSWORD, DoctorFactory, PatientFactory
from accounts.tests.registering import code_of, registering
from accounts.tokens import token_pair
from common.clock import clinic_date
from connections.models import Connection
from medisync.tests.client import api_client, page_client, sign_in
from notifications.models import Notification
from prescriptions.models import Prescription
from prescriptions.tests.factories import issue
from qrverify.tests.factories import show_code

# The patient and the doctor are connected; the prescription, the notification and the device
# session are the patient's, the QR code to withdraw is the doctor's, and the one to scan the
# other doctor's. "pending" is a doctor who waits for approval, "suspended" a patient.
CAST = (
    "anonymous", "patient", "doctor", "stranger", "other_doctor", "admin", "pending", "suspended",
)  # fmt: skip


@dataclass
class World:
    """Everybody, signed in, and one of everything that a route names."""

    apps: dict[str, Client]
    browsers: dict[str, Client]
    arguments: dict[tuple[str, str], Any]
    queries: dict[str, str]
    bodies: dict[str, dict[str, Any]]

    def ask(self, who: str, method: str, route: str) -> str:
        """The status of the answer, undone afterwards; `in` for the way to the login page."""
        is_api = route.startswith("api/")
        client = (self.apps if is_api else self.browsers)[who]
        send = getattr(client, method.lower())
        cookies = SimpleCookie(client.cookies.output(header="", sep=";"))
        cache.clear()
        with transaction.atomic():
            answer = send(self.path(route), self.bodies.get(f"{method} {route}", {}))
            transaction.set_rollback(True)
        client.cookies = cookies
        if answer.status_code == 302 and answer["Location"].startswith("/login"):
            return "in"
        return str(answer.status_code)

    def path(self, route: str) -> str:
        """The route with the ids of this world in it, and the query it asks for."""
        path = re.sub(r"<(\w+)>", lambda found: str(self.argument(route, found[1])), route)
        return f"/{path}{self.queries.get(route, '')}"

    def argument(self, route: str, name: str) -> Any:
        """What an id in a route stands for; the same name may mean something else elsewhere."""
        return next(
            value
            for (where, known), value in self.arguments.items()
            if known == name and route.startswith(where)
        )


@pytest.fixture
def world(connection: Connection, stranger: User, other_doctor: User, admin: User) -> World:
    patient, doctor = connection.patient, connection.doctor
    people = {
        "anonymous": None,
        "patient": patient,
        "doctor": doctor,
        "stranger": stranger,
        "other_doctor": other_doctor,
        "admin": admin,
        "pending": DoctorFactory(status=Status.PENDING_APPROVAL),
        "suspended": PatientFactory(),
    }
    apps = {who: api_client(user) for who, user in people.items()}
    browsers = {who: page_client(user) for who, user in people.items()}
    User.objects.filter(pk=people["suspended"].pk).update(status=Status.SUSPENDED)
    prescription = issue(connection)
    session = sign_in(patient)
    scanned = show_code(other_doctor).secret
    waiting = registering(email="a@example.org")
    begun = start_registration(role=Role.PATIENT, language="en")
    OneTimeCode.objects.update(sent_at=timezone.now() - OneTimeCode.RESEND_AFTER)
    ids = {
        ("api/v1/auth/sessions", "pk"): session.pk,
        ("sessions", "pk"): session.pk,
        ("api/v1/specializations", "pk"): doctor.doctor_profile.specialization_id,
        ("api/v1/requests", "pk"): connection.pk,
        ("api/v1/prescriptions", "pk"): prescription.pk,
        ("api/v1/notifications", "pk"): Notification.objects.get(recipient=patient).pk,
        ("api/v1/qr", "pk"): show_code(doctor).token.pk,
        ("", "user_id"): patient.pk,
        ("", "patient_id"): patient.pk,
        ("", "connection_id"): connection.pk,
        ("", "prescription_id"): prescription.pk,
        ("", "notification_id"): Notification.objects.get(recipient=patient).pk,
        ("", "token_id"): show_code(doctor).token.pk,
        ("", "token"): scanned,
        ("", "code"): prescription.verification_code,
    }
    queries = {
        "verify/<code>": f"?v=1&h={prescription.printed_hash}",
        "api/v1/users/registration-status": f"?registration_id={waiting.pk}",
    }
    bodies = _bodies(
        patient, prescription, scanned, registrations=(begun, waiting), session=session
    )
    return World(apps, browsers, ids, queries, bodies)


def _bodies(
    patient: User,
    prescription: Prescription,
    scanned: str,
    *,
    registrations: tuple[Registration, Registration],
    session: DeviceSession,
) -> dict[str, Any]:
    """A right body for each route that asks for one."""
    begun, waiting = registrations
    medicine = {"medicine": "Amlodipine", "frequency": 1, "quantity": 30}
    registered = {
        "email": "b@example.org",
        "password": PASSWORD,
        "first_name": "Layla",
        "last_name": "Hassan",
    }
    return {
        "POST api/v1/auth/register/init": {"role": "PATIENT"},
        "POST api/v1/auth/register/basic": registered
        | {"registration_id": str(begun.pk), "confirm_password": PASSWORD},
        "POST api/v1/auth/register/verify-email": {
            "registration_id": str(waiting.pk),
            "otp": code_of(waiting),
        },
        "POST api/v1/auth/resend-otp": {"id": str(waiting.pk), "type": "EMAIL_VERIFICATION"},
        "POST api/v1/auth/login": {"email": patient.email, "password": PASSWORD},
        "POST api/v1/auth/refresh": {
            "refresh_token": token_pair(session, now=timezone.now())["refresh_token"]
        },
        "POST api/v1/prescriptions/connections/<connection_id>": {"items": [medicine]},
        "PATCH api/v1/users/profile": {"first_name": "New"},
        "POST api/v1/qr/generate": {"type": "CONNECTION"},
        "POST api/v1/qr/scan": {"token": scanned, "confirm": True},
        "POST api/v1/qr/validate": {"token": scanned},
        "POST api/v1/qr/verify": {
            "code": prescription.verification_code,
            "version": 1,
            "content_hash": prescription.printed_hash,
        },
        "POST login": {"email": patient.email, "password": PASSWORD},
        "POST register": {"role": "PATIENT"},
        "POST language": {"language": "ar"},
        "POST qr": {"expiry_minutes": 5},
        "POST scan": {"token": scanned},
        "POST profile": {
            "first_name": "New", "last_name": "Name", "phone": "+201001234567",
            "language": "en", "time_zone": "Africa/Cairo",
        },
        "POST connections/<connection_id>/prescribe": {
            "valid_until": clinic_date().isoformat(), "diagnosis": "", "notes": "",
            "client_id": str(prescription.pk),
            "items-TOTAL_FORMS": 1, "items-INITIAL_FORMS": 0, "items-MIN_NUM_FORMS": 1,
            "items-MAX_NUM_FORMS": 30, "items-0-medicine": "Amlodipine", "items-0-strength": "",
            "items-0-route": "ORAL", "items-0-frequency": 1, "items-0-frequency_unit": "DAY",
            "items-0-duration_days": "", "items-0-quantity": 1, "items-0-refills": 0,
            "items-0-instructions": "",
        },
    }  # fmt: skip
