"""An emergency card, as patients make it and responders open it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from accounts.models import EmergencyContact, User
from accounts.services.health import add_entry
from medisync.tests.client import sign_in
from qrverify.models import CardField, EmergencyCard, EmergencyScan
from qrverify.services.emergency import Choice, Opened, confirm_fields, open_card, set_card
from qrverify.services.emergency_content import emergency_content

SHOWN = (CardField.ALLERGIES, CardField.NAME, CardField.EMERGENCY_CONTACTS)


def make_card(
    patient: User, shows: Sequence[str] = SHOWN, *, confirmed: bool = True, **own: Any
) -> EmergencyCard:
    """A card that shows these fields, and says that they are right."""
    card = set_card(session=sign_in(patient), choice=Choice(shows, **own))
    return confirm(card) if confirmed else card


def confirm(card: EmergencyCard) -> EmergencyCard:
    """Say of every field that it is right as it reads now."""
    return confirm_fields(actor=card.patient, seen=versions(card))


def versions(card: EmergencyCard) -> dict[str, str]:
    """What each field of the card reads now."""
    card = EmergencyCard.objects.with_patient().get(pk=card.pk)
    return {part.field: part.version for part in emergency_content(card, timezone.now()).parts}


def open_it(card: EmergencyCard, name: str = "Nour Samir", **said: Any) -> Opened:
    """A responder scans it."""
    known = {"reason_code": EmergencyScan.Reason.UNCONSCIOUS}
    return open_card(secret=str(card.secret), responder_name=name, **(known | said))


def add_contact(patient: User, email: str = "sister@example.org") -> EmergencyContact:
    """Somebody to be called, and to be written to."""
    values = {"name": "Sara Adel", "phone": "+201112223334", "email": email}
    return add_entry(actor=patient, kind=EmergencyContact, values=values)
