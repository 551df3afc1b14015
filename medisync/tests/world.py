"""Everybody, signed in, and one of everything: what tests over all routes ask."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import (
    AllergyIntolerance,
    Condition,
    DeviceSession,
    EmergencyContact,
    HealthEntry,
    MedicationStatement,
    OneTimeCode,
    Registration,
    Role,
    Status,
    StatusChange,
    User,
)
from accounts.services.addresses import request_change
from accounts.services.health import add_entry
from accounts.services.passwords import verify_reset_code
from accounts.services.registration import start_registration
from accounts.tests.factories import (
    PASSWORD,
    AdminFactory,
    DataExportFactory,
    DoctorFactory,
    PatientFactory,
    png_bytes,
)
from accounts.tests.factors import factor_bodies
from accounts.tests.provider import LyingProvider
from accounts.tests.registering import code_of, registering
from accounts.tests.resetting import asked, link_to, secret_in
from accounts.tokens import token_pair
from audit.models import AccessEvent
from chat.models import Message
from chat.services.help import save_reply, set_absence
from chat.tests.factories import chat_of, say
from common.clock import clinic_date
from common.ids import uuid7
from connections.models import AccessGrant, Connection, DataCategory
from connections.services.grants import Sharing, set_grant
from connections.services.requests import send_request
from connections.tests.factories import ConnectionFactory
from medisync.links import link_to_summary
from medisync.tests.client import api_client, page_client, sign_in
from notifications.models import Notification
from prescriptions.models import Prescription, RefillRequest
from prescriptions.services.claiming import HeldClaim, return_prescription
from prescriptions.services.dispensing import Line, dispense, withdraw_dispense
from prescriptions.services.issuing import Order
from prescriptions.services.refills import request_refill
from prescriptions.services.templates import save_template
from prescriptions.tests.dispensing import claim, open_paper
from prescriptions.tests.factories import PARACETAMOL, issue
from qrverify.models import EmergencyCard
from qrverify.services.cards import issue_card
from qrverify.smart.keys import card_keys
from qrverify.tests.emergency import make_card, versions
from qrverify.tests.factories import show_code
from qrverify.tests.sharing import open_by_ticket, share
from specializations.models import Specialization

# What a page about sharing sends where nothing is ticked.
NOTHING_SHARED = {"since": "all", "until": "open", "purpose": "TREATMENT"}
# A right body for a line of each of a patient's lists.
LISTS: dict[str, tuple[type[HealthEntry], dict[str, str]]] = {
    "allergies": (AllergyIntolerance, {"substance": "Penicillin", "criticality": "HIGH"}),
    "conditions": (Condition, {"name": "Asthma", "since": "2015-03"}),
    "medications": (MedicationStatement, {"name": "Salbutamol", "dosage": "When needed"}),
    "emergency-contacts": (EmergencyContact, {"name": "Sara", "phone": "+201112223334"}),
}

# When the doctor does not answer.
AWAY = {
    "starts_at": dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    "ends_at": dt.datetime(2124, 1, 1, tzinfo=dt.UTC),
    "notice": "I am at a congress.",
}

# The patient and the doctor are connected; the prescription, the notification and the device
# session are the patient's, the QR code to withdraw is the doctor's, and the one to scan the
# other doctor's, who alone has a second factor: an app, a passkey, and codes. "pending" is a
# doctor who waits for approval, "suspended" a patient.
CAST = (
    "anonymous", "patient", "doctor", "stranger", "other_doctor", "admin", "pending", "suspended",
)  # fmt: skip


@dataclass
class World:
    """Everybody, signed in, and one of everything that a route names."""

    people: dict[str, User | None]
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
        # Health links are a protocol of others: JSON, whoever asks.
        kind = {"content_type": "application/json"} if route.startswith("shl/") else {}
        with transaction.atomic():
            answer = send(self.path(route), self.bodies.get(f"{method} {route}", {}), **kind)
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


class WorldKeeper:
    """Makes a world in a transaction that stays open, so that many tests in a row share it, each
    in a savepoint; another before anything in it has had the time to expire."""

    FRESH_SECONDS = 20  # less than a code of an authenticator app

    def __init__(self) -> None:
        self.world: World | None = None
        self.made_at = 0.0
        self.holding = contextlib.ExitStack()

    def fresh(self, liar: LyingProvider) -> World:
        if self.world is None or time.monotonic() > self.made_at + self.FRESH_SECONDS:
            self.close()
            self.holding.enter_context(transaction.atomic())
            self.made_at = time.monotonic()
            self.world = make_world(liar)
        return self.world

    def close(self) -> None:
        """Nothing of it was ever committed."""
        if self.world is not None:
            transaction.set_rollback(True)
        self.holding.close()
        self.world = None


@pytest.fixture(scope="module")
def world_keeper(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[WorldKeeper]:
    keeper = WorldKeeper()
    yield keeper
    with django_db_blocker.unblock():
        keeper.close()


@pytest.fixture
def fresh_world(
    world_keeper: WorldKeeper, liar: LyingProvider, django_db_blocker: DjangoDbBlocker
) -> World:
    with django_db_blocker.unblock():
        return world_keeper.fresh(liar)


@pytest.fixture
def world(fresh_world: World, db: None) -> Iterator[World]:
    """The world is there before the test's own transaction begins, so it outlives its end. A test
    is therefore not marked as one of the database, which would begin that earlier."""
    clients = [*fresh_world.apps.values(), *fresh_world.browsers.values()]
    cookies = [client.cookies.output(header="", sep=";") for client in clients]
    yield fresh_world
    for client, had in zip(clients, cookies, strict=True):
        client.cookies = SimpleCookie(had)


def _everybody() -> dict[str, Any]:
    return {
        "anonymous": None,
        "patient": PatientFactory(first_name="Mona", last_name="Adel"),
        "doctor": DoctorFactory(first_name="Karim", last_name="Nabil"),
        "stranger": PatientFactory(first_name="Sara", last_name="Zaki"),
        "other_doctor": DoctorFactory(first_name="Omar", last_name="Fathy"),
        "admin": AdminFactory(first_name="Ada", last_name="Admin"),
        "pending": DoctorFactory(status=Status.PENDING_APPROVAL),
        "suspended": PatientFactory(),
    }


def _suspend(user: User, *, by: User) -> None:
    """By hand: the service would end the sessions that routes are asked with."""
    User.objects.filter(pk=user.pk).update(status=Status.SUSPENDED)
    StatusChange.objects.create(
        user=user, from_status=Status.ACTIVE, to_status=Status.SUSPENDED, changed_by=by
    )


def make_world(liar: LyingProvider) -> World:
    people = _everybody()
    patient, doctor, stranger, other_doctor, admin = (people[who] for who in CAST[1:6])
    connection = ConnectionFactory(patient=patient, doctor=doctor)
    apps = {who: api_client(user) for who, user in people.items()}
    browsers = {who: page_client(user) for who, user in people.items()}
    _suspend(people["suspended"], by=admin)
    prescription = issue(connection)
    template = save_template(actor=doctor, name="Throat", order=Order(items=[PARACETAMOL]))
    grant = set_grant(
        actor=patient,
        connection_id=connection.pk,
        sharing=Sharing(categories=DataCategory.values),
    )
    link = link_to_summary(session=sign_in(doctor), patient_id=patient.pk, language="en")
    card = make_card(patient)
    session = sign_in(patient)
    export = DataExportFactory(user=patient)
    scanned = show_code(other_doctor).secret
    issue_card(actor=patient, prescription_id=prescription.pk)
    link_made = share(patient)
    asked = send_request(
        actor=stranger,
        doctor_id=doctor.pk,
        notes="A cough.",
        image=SimpleUploadedFile("paper.png", png_bytes()),
    )
    said = say(chat_of(connection), patient, "It hurts again.")
    reply = save_reply(actor=doctor, title="Come and see me", content="Come and see me tomorrow.")
    set_absence(actor=doctor, **AWAY)
    blocked = ConnectionFactory(doctor=doctor, blocked_by_doctor=True)
    waiting = registering(email="a@example.org")
    begun = start_registration(role=Role.PATIENT, language="en")
    OneTimeCode.objects.update(sent_at=timezone.now() - OneTimeCode.RESEND_AFTER)
    issued = AccessEvent.objects.get(action=AccessEvent.Action.ISSUED)
    first_told = Notification.objects.filter(recipient=patient).earliest("pk")
    ids = {
        ("api/v1/auth/sessions", "pk"): session.pk,
        ("api/v1/grants", "pk"): grant.pk,
        ("", "grant_id"): grant.pk,
        ("files", "token"): link.url.rpartition("/")[2],
        ("api/v1/access-log", "pk"): issued.pk,
        ("", "event_id"): issued.pk,
        ("api/v1/users/<pk>/activate", "pk"): people["suspended"].pk,
        **{
            (f"api/v1/users/profile/{slug}", "pk"): add_entry(
                actor=patient, kind=kind, values=values
            ).pk
            for slug, (kind, values) in LISTS.items()
        },
        ("profile/health", "slug"): "conditions",
        ("profile/health", "entry_id"): Condition.objects.get().pk,
        ("api/v1/users", "pk"): patient.pk,
        ("sessions", "pk"): session.pk,
        # One that no doctor has: it may be deleted.
        ("api/v1/specializations", "pk"): Specialization.objects.create(
            code="phrenology", name_en="Phrenology", name_ar="فراسة"
        ).pk,
        ("api/v1/doctors", "pk"): doctor.pk,
        ("doctors/<doctor_id>/request", "doctor_id"): other_doctor.pk,
        ("", "doctor_id"): doctor.pk,
        ("api/v1/requests/connections/<pk>/unblock", "pk"): blocked.pk,
        ("api/v1/requests/connections", "pk"): connection.pk,
        ("api/v1/requests", "pk"): asked.pk,
        ("connections/<connection_id>/unblock", "connection_id"): blocked.pk,
        ("api/v1/prescriptions", "pk"): prescription.pk,
        ("api/v1/prescription-templates", "pk"): template.pk,
        ("", "template_id"): template.pk,
        ("api/v1/notifications", "pk"): first_told.pk,
        ("api/v1/chat/messages", "pk"): said.pk,
        ("api/v1/chat/replies", "pk"): reply.pk,
        ("api/v1/chat", "pk"): said.chat_id,
        ("", "chat_id"): said.chat_id,
        ("", "message_id"): said.pk,
        ("", "reply_id"): reply.pk,
        ("api/v1/exports", "pk"): export.pk,
        ("", "export_id"): export.pk,
        ("api/v1/qr", "pk"): show_code(doctor).token.pk,
        ("", "user_id"): patient.pk,
        ("", "patient_id"): patient.pk,
        ("", "request_id"): asked.pk,
        ("", "person_id"): doctor.pk,
        ("", "connection_id"): connection.pk,
        ("", "prescription_id"): prescription.pk,
        ("", "notification_id"): first_told.pk,
        ("", "token_id"): show_code(doctor).token.pk,
        ("", "token"): scanned,
        ("", "code"): prescription.verification_code,
        ("e", "secret"): card.secret,
        (".well-known", "kid"): next(iter(card_keys())),
        ("links", "link_id"): link_made.pk,
        ("api/v1/links", "pk"): link_made.pk,
        ("shl", "manifest_id"): link_made.manifest_id,
        ("", "card_id"): card.pk,
    }
    queries = {
        "verify/<code>": f"?v=1&h={prescription.printed_hash}",
        "api/v1/users/registration-status": f"?registration_id={waiting.pk}",
    }
    bodies = _bodies(
        patient, prescription, scanned, registrations=(begun, waiting), session=session
    )
    bodies["POST api/v1/auth/google"] = {"id_token": liar.token(), "role": Role.PATIENT}
    bodies |= _ways_back_in(patient, session)
    ids["password/link", "secret"] = secret_in(link_to(patient.email))
    bodies |= _told_of_oneself()
    bodies |= _around_the_emergency_card(card)
    bodies |= _around_links()
    bodies |= _chosen_to_be_seen(grant)
    bodies |= _prescribed_otherwise()
    bodies |= _around_requests(doctor, other_doctor)
    bodies |= _around_chats(said)
    # The app's: it signed in before the browser.
    of_app = DeviceSession.objects.filter(user=patient).earliest("created_at")
    passkey, factors = factor_bodies(of_app, other_doctor)
    bodies |= factors
    ids |= {
        # Opening a link is told to the patient, who has one notification by then.
        ("shl", "ticket"): open_by_ticket(link_made),
        ("security/passkeys", "pk"): passkey.pk,
        ("api/v1/auth/passkeys", "pk"): passkey.pk,
    }
    at_pharmacy, held = _at_a_pharmacy(prescription)
    bodies |= at_pharmacy
    ids["", "claim_id"] = held.claim.pk
    asked_again = _asked_again(connection)
    of_refills = {
        ("api/v1/refill-requests", "pk"): asked_again.pk,
        ("refills", "request_id"): asked_again.pk,
    }
    ids = of_refills | ids
    bodies |= {
        "POST prescriptions/<prescription_id>/code": {
            "code_made_at": prescription.code_made_at.isoformat()
        },
        "POST prescriptions/<prescription_id>/refill": {"note": "It helps."},
        "POST api/v1/prescriptions/<pk>/refill": {"note": "It helps."},
        "POST refills/<request_id>/decline": {"reason": "Come and see me."},
        "POST api/v1/refill-requests/<pk>/decline": {"reason": "Come and see me."},
    }
    return World(people, apps, browsers, ids, queries, bodies)


def _around_chats(said: Message) -> dict[str, Any]:
    """A right body for everything said in a chat, and prepared for it."""
    words = {"title": "Thank you", "content": "You are welcome."}
    spoken = {"chat_id": str(said.chat_id), "client_id": str(uuid7()), "content": "And again."}
    return {
        "POST api/v1/chat/messages": spoken,
        "PUT api/v1/chat/<pk>/read": {"seq": 1},
        "PUT api/v1/chat/<pk>/delivered": {"seq": 1},
        "POST api/v1/chat/replies": words,
        "PUT api/v1/chat/replies/<pk>": words,
        "PUT api/v1/chat/absence": {name: str(value) for name, value in AWAY.items()},
        "POST chats/replies/new": words,
        "POST chats/replies/<reply_id>": words,
        "POST chats/away": {name: str(value) for name, value in AWAY.items()},
        "POST chats/<chat_id>/send": spoken,
        "POST chats/<chat_id>/read": {"seq": 1},
    }


def _asked_again(connection: Connection) -> RefillRequest:
    """What the patient asks for, of another prescription than the one of the routes."""
    again = issue(connection)
    return request_refill(actor=connection.patient, prescription_id=again.pk)


def _at_a_pharmacy(prescription: Prescription) -> tuple[dict[str, Any], HeldClaim]:
    """A right body for each step of a pharmacist, and a claim that is over: what was taken back
    by it may be taken back again. What was handed out, of another prescription, may be sent
    again."""
    held, passed = claim(prescription), open_paper(prescription)
    dispense(secret=held.secret, lines=[Line(1, 1)], client_id=uuid7())
    dispense_id = held.claim.dispenses.get().pk
    withdraw_dispense(secret=held.secret, dispense_id=dispense_id)
    return_prescription(secret=held.secret)
    other, client_id = claim(issue(prescription.connection)), str(uuid7())
    dispense(secret=other.secret, lines=[Line(1, 1)], client_id=UUID(client_id))
    paper = {"code": prescription.verification_code, "pin": prescription.pin}
    said = {
        "client_id": str(uuid7()),
        "pharmacy_name": "Nile Pharmacy",
        "pharmacist_name": "Hoda Samir",
        "licence_number": "PH-1234",
    }
    claimed = {"claim": held.secret}
    handed = {"claim": other.secret, "client_id": client_id}
    withdrawn = claimed | {"dispense_id": str(dispense_id)}
    return {
        "POST dispensing": claimed,
        "POST dispensing/open": paper,
        "POST dispensing/read": {"passed": passed},
        "POST dispensing/claim": said | {"passed": passed},
        "POST dispensing/dispense": handed | {"quantity-1": 1},
        "POST dispensing/withdraw": withdrawn,
        "POST dispensing/return": claimed,
        "POST api/v1/dispensing/open": paper,
        "POST api/v1/dispensing/claims": said | {"pass": passed},
        "POST api/v1/dispensing/claims/view": claimed,
        "POST api/v1/dispensing/claims/return": claimed,
        "POST api/v1/dispensing/dispenses": handed | {"lines": [{"position": 1, "quantity": 1}]},
        "POST api/v1/dispensing/dispenses/withdraw": withdrawn,
    }, held


def _ways_back_in(patient: User, session: DeviceSession) -> dict[str, Any]:
    """A right body for each step to another password or address."""
    waiting, traded = asked(patient), asked(patient)
    change = request_change(session=session, new_email="c@example.org")
    changed = {"old_password": PASSWORD, "new_password": f"another {PASSWORD}"}
    return {
        "POST api/v1/auth/forgot-password": {"email": patient.email},
        "POST api/v1/auth/verify-reset-otp": {
            "reset_id": str(waiting.pk),
            "otp": code_of(waiting),
        },
        "POST api/v1/auth/reset-password": {
            "reset_token": verify_reset_code(reset_id=traded.pk, code=code_of(traded)),
            "new_password": changed["new_password"],
        },
        "POST api/v1/auth/change-password": changed,
        "POST api/v1/auth/change-email": {"new_email": "d@example.org"},
        "POST api/v1/auth/change-email/verify": {
            "change_id": str(change.pk),
            "otp": code_of(change),
        },
        "POST password/forgot": {"email": patient.email},
        "POST password/link/<secret>": {"new_password": changed["new_password"]},
        "POST password/change": changed,
        "POST email/change": {"new_email": "d@example.org"},
    }


def _told_of_oneself() -> dict[str, Any]:
    """A right body for each way to tell about one's health or practice."""
    account = {
        "first_name": "New", "last_name": "Name", "phone": "+201001234567", "language": "en",
        "time_zone": "Africa/Cairo",
    }  # fmt: skip
    facts = {"blood_type": "AB-", "height_cm": 171, "weight_kg": "70.5", "governorate": "EG-C"}
    added = {
        f"POST api/v1/users/profile/{slug}": dict(values)
        | ({"substance": "Peanuts"} if slug == "allergies" else {})
        for slug, (_kind, values) in LISTS.items()
    }
    corrected = {
        f"PATCH api/v1/users/profile/{slug}/<pk>": dict(values)
        for slug, (_kind, values) in LISTS.items()
    }
    return (
        added
        | corrected
        | {
            "PUT api/v1/users/profile": account | {"patient": facts},
            "POST profile/health": facts,
            "POST profile/health/<slug>/add": {"name": "Asthma", "since": "2015"},
            "POST profile/health/<slug>/<entry_id>": {"name": "Asthma", "since": "2015"},
            "POST profile/practice": {"bio": "Listens.", "languages": ["ar", "en"]},
        }
    )


def _around_links() -> dict[str, Any]:
    """A right body for each way to share by a link, and to open one."""
    wish = {"content": "SUMMARY", "categories": ["ALLERGIES", "FACTS"], "label": "Clinic"}
    return {
        "POST links/new": wish | {"hours": 24},
        "POST api/v1/links": wish | {"hours": 24, "passcode": "open sesame"},
        "POST shl/<manifest_id>": {"recipient": "City clinic", "embeddedLengthMax": 100_000},
    }


def _around_the_emergency_card(card: EmergencyCard) -> dict[str, Any]:
    """A right body for choosing, confirming, replacing and opening it."""
    seen = [{"field": field, "version": version} for field, version in versions(card).items()]
    said = {"responder_name": "Nour Samir", "reason_code": "UNCONSCIOUS"}
    return {
        "POST emergency-card/choose": {"shows": ["NAME", "ALLERGIES"]},
        "POST emergency-card/confirm": {"seen": [".".join(one.values()) for one in seen]},
        "POST e/<secret>": said,
        "PUT api/v1/emergency-card": {
            "shows": ["NAME"], "languages": ["ar"], "note": "Deaf.", "shows_name": True,
        },
        "POST api/v1/emergency-card/confirm": {"seen": seen},
        "POST api/v1/emergency-card/reissue": {"card_id": str(card.pk)},
        "POST api/v1/emergency/open": said | {"token": str(card.secret)},
    }  # fmt: skip


def _around_requests(doctor: User, other_doctor: User) -> dict[str, Any]:
    """A right body for each verb of the circle of care."""
    share = {
        "categories": ["ALLERGIES"], "data_from": "2025-01-01", "ends_at": None,
        "purpose": "TREATMENT",
    }  # fmt: skip
    hours = {"available_days": ["sun"], "available_hours": {"from": "09:00", "until": "17:00"}}
    typed = {"available_days": ["sun"], "available_from": "09:00", "available_until": "17:00"}
    reason = {"reason": "I see children only."}
    return {
        "POST api/v1/requests": {
            "doctor_id": str(other_doctor.pk), "notes": "A cough.", "share": share,
        },
        "POST api/v1/requests/<pk>/accept": hours,
        "POST api/v1/requests/<pk>/reject": reason,
        "POST api/v1/requests/block": {"person_id": str(doctor.pk)},
        "PUT api/v1/requests/connections/<pk>/availability": hours,
        "POST doctors/<doctor_id>/request": {"notes": "A cough.", **NOTHING_SHARED},
        "POST requests/<request_id>/accept": typed,
        "POST requests/<request_id>/reject": reason,
        "POST connections/<connection_id>/availability": typed,
        "POST scan/<token>": NOTHING_SHARED,
    }  # fmt: skip


def _chosen_to_be_seen(grant: AccessGrant) -> dict[str, Any]:
    """A right body for each way to let a doctor see something else than by this grant."""
    terms = {"categories": ["FACTS", "ALLERGIES"], "data_from": "2020-01-01", "ends_at": None}
    chosen = {"categories": ["FACTS"], "since": "all", "until": "open", "purpose": "TREATMENT"}
    return {
        "POST api/v1/grants": terms | {"connection_id": str(grant.connection_id)},
        "PUT api/v1/grants/<pk>": terms,
        "POST connections/<connection_id>/sharing": chosen | {"instead_of": str(grant.pk)},
    }


def _prescribed_otherwise() -> dict[str, Any]:
    """A right body for each way to change or stop a prescription, and to begin with one."""
    item = {"medicine": "Ramipril", "frequency": 1, "quantity": 30}
    stop = {"reason": "NOT_NEEDED"}
    # As forms send it: every field of every row.
    typed = {
        "valid_until": "", "diagnosis": "", "notes": "", "client_id": str(uuid7()),
        "items-TOTAL_FORMS": 1, "items-INITIAL_FORMS": 0, "items-MIN_NUM_FORMS": 1,
        "items-MAX_NUM_FORMS": 30, "items-0-medicine": "Ramipril", "items-0-route": "ORAL",
        "items-0-frequency": 1, "items-0-frequency_unit": "DAY", "items-0-quantity": 30,
        "items-0-refills": 0,
    }  # fmt: skip
    template = {"name": "Blood pressure", "items": [item]}
    return {
        "POST api/v1/prescriptions/connections/<connection_id>/check": {"items": [item]},
        "PUT api/v1/prescriptions/<pk>": {"items": [item]},
        "PUT api/v1/prescriptions/<pk>/deactivate": stop,
        "POST prescriptions/<prescription_id>/amend": typed | {"confirm": "1"},
        "POST prescriptions/<prescription_id>/stop": stop,
        "POST api/v1/prescription-templates": template,
        "PUT api/v1/prescription-templates/<pk>": template,
        "POST prescription-templates/new": typed | {"name": "Blood pressure"},
        "POST prescription-templates/<template_id>": typed | {"name": "Blood pressure"},
    }


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
    medicine = {"medicine": "Ramipril", "frequency": 1, "quantity": 30}
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
        "PATCH api/v1/users/profile": {"first_name": "New", "patient": {"height_cm": 171}},
        "PUT api/v1/users/<pk>/activate": {"reason": "Answered."},
        "PUT api/v1/users/<pk>/deactivate": {"reason": "Left."},
        "PUT api/v1/users/<pk>/suspend": {"reason": "A complaint."},
        "PUT api/v1/users/<pk>/reset-second-factor": {"reason": "Lost phone."},
        "POST api/v1/specializations": {"code": "skulls", "name_en": "Skulls", "name_ar": "جماجم"},
        "PUT api/v1/specializations/<pk>": {"name_en": "Skulls", "name_ar": "جماجم"},
        "POST api/v1/qr/generate": {"type": "CONNECTION"},
        "POST api/v1/qr/scan": {"token": scanned, "confirm": True},
        "POST api/v1/qr/validate": {"token": scanned},
        "POST api/v1/qr/read": {"texts": [prescription.verification_url]},
        "POST api/v1/qr/verify": {
            "code": prescription.verification_code,
            "version": 1,
            "content_hash": prescription.printed_hash,
        },
        "POST api/v1/access-log/<pk>/question": {"question": "Why was this opened?"},
        "POST access-log/<event_id>/question": {"question": "Why was this opened?"},
        "POST login": {"email": patient.email, "password": PASSWORD},
        "POST register": {"role": "PATIENT"},
        "POST language": {"language": "ar"},
        "POST notifications/preferences": {"quiet_from": "22:00", "quiet_until": "07:00"},
        "PUT api/v1/notifications/preferences": {
            "quiet_from": "22:00",
            "quiet_until": "07:00",
            "events": [{"kind": "NEW_DEVICE", "email": True, "live": True}],
        },
        "POST qr": {"expiry_minutes": 5},
        "POST scan": {"token": scanned},
        "POST verify": {"text": prescription.verification_url},
        "POST profile": {
            "first_name": "New", "last_name": "Name", "phone": "+201001234567",
            "language": "en", "time_zone": "Africa/Cairo",
        },
        "POST connections/<connection_id>/prescribe": {
            "valid_until": clinic_date().isoformat(), "diagnosis": "", "notes": "",
            "client_id": str(prescription.pk),
            "items-TOTAL_FORMS": 1, "items-INITIAL_FORMS": 0, "items-MIN_NUM_FORMS": 1,
            "items-MAX_NUM_FORMS": 30, "items-0-medicine": "Ramipril", "items-0-strength": "",
            "items-0-route": "ORAL", "items-0-frequency": 1, "items-0-frequency_unit": "DAY",
            "items-0-duration_days": "", "items-0-quantity": 1, "items-0-refills": 0,
            "items-0-instructions": "",
        },
    }  # fmt: skip
