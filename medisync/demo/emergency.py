"""The emergency cards of the patients with a published password, and who opened them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from accounts.models import AllergyIntolerance, EmergencyContact, SpokenLanguage, User
from audit.models import AccessEvent
from common import crypto
from medisync.demo import ARABIC_PATIENT_EMAIL, PATIENT_EMAIL
from medisync.demo.chance import secret, uuid7_at
from medisync.demo.names import Text
from medisync.demo.people import Clinic
from medisync.demo.traces import tell
from notifications.wording import Kind
from qrverify.models import CardField, EmergencyCard, EmergencyChoice, EmergencyScan
from qrverify.services.emergency_content import version_of

MADE_BEFORE_END = dt.timedelta(days=60)
NOTE = Text("Wears a hearing aid on the left.", "يضع سماعة في الأذن اليسرى.")
# So long before the end, who opened it and why.
OPENINGS = (
    (dt.timedelta(days=59), Text("Sara, my sister", "سارة، أختي"), EmergencyScan.Reason.OTHER,
     Text("We tried whether it works.", "جرّبنا إن كانت تعمل.")),
    (dt.timedelta(days=3, hours=5), Text("Nadia Fawzy, paramedic", "نادية فوزي، مسعفة"),
     EmergencyScan.Reason.UNCONSCIOUS, Text("", "")),
)  # fmt: skip


def make_cards(clinic: Clinic, patients: Sequence[User]) -> None:
    """Each made it two months ago, tried it with somebody, and needed it once."""
    for patient in patients:
        if patient.email in {PATIENT_EMAIL, ARABIC_PATIENT_EMAIL}:
            card = _make_card(clinic, patient)
            for before, name, reason, words in OPENINGS:
                _open(clinic, card, name, reason, words, at=clinic.world.end - before)


def _make_card(clinic: Clinic, patient: User) -> EmergencyCard:
    rng, made = clinic.rng, clinic.world.end - MADE_BEFORE_END
    code = secret(rng)
    card = clinic.rows.add(
        EmergencyCard(
            id=uuid7_at(made, rng),
            created_at=made,
            patient=patient,
            secret=code,
            secret_digest=crypto.digest(code),
            languages=[SpokenLanguage.ARABIC, SpokenLanguage.ENGLISH],
            note=getattr(NOTE, patient.language),
        )
    )
    for field, rows in _shown(clinic, card).items():
        clinic.rows.add(
            EmergencyChoice(
                id=uuid7_at(made, rng),
                created_at=made,
                card=card,
                field=field,
                confirmed_at=made,
                confirmed_version=version_of(field, rows, patient_id=patient.pk),
            )
        )
    return card


def _shown(clinic: Clinic, card: EmergencyCard) -> dict[CardField, Sequence[Any]]:
    """What it shows, with the rows behind it: all that never changes in a demonstration."""
    patient, profile = card.patient, card.patient.patient_profile
    return {
        CardField.ALLERGIES: clinic.rows.of(AllergyIntolerance, patient=patient),
        CardField.NAME: [patient],
        CardField.BIRTH_DATE: [profile],
        CardField.SEX: [profile],
        CardField.BLOOD_TYPE: [profile],
        CardField.LANGUAGES: card.languages,
        CardField.EMERGENCY_CONTACTS: clinic.rows.of(EmergencyContact, patient=patient),
        CardField.NOTE: [card.note],
    }


def _open(
    clinic: Clinic,
    card: EmergencyCard,
    name: Text,
    reason: EmergencyScan.Reason,
    words: Text,
    *,
    at: dt.datetime,
) -> None:
    rng, patient = clinic.rng, card.patient
    scan = EmergencyScan(
        id=uuid7_at(at, rng),
        created_at=at,
        card=card,
        responder_name=getattr(name, patient.language),
        reason_code=reason,
        reason=getattr(words, patient.language),
        contacts_told=len(clinic.rows.of(EmergencyContact, patient=patient)),
    )
    scan.event = clinic.rows.add(
        AccessEvent(
            id=uuid7_at(at, rng),
            created_at=at,
            patient_id=patient.pk,
            action=AccessEvent.Action.EMERGENCY_OPENED,
            basis=AccessEvent.Basis.QR,
            object_type=scan._meta.label_lower,
            object_id=scan.pk,
        )
    )
    clinic.rows.add(scan)
    url = "/emergency-card/openings"
    tell(clinic, patient, Kind.EMERGENCY_CARD_OPENED, about=None, url=url, at=at)
