"""Prescriptions, issued by the service: no row of theirs can be made or mended otherwise."""

from __future__ import annotations

from typing import Any

from connections.models import Connection
from prescriptions.models import Prescription
from prescriptions.services import Item, issue_prescription

AMLODIPINE = Item(
    medicine="Amlodipine", strength="5 mg", frequency=1, duration_days=30, quantity=30
)
PARACETAMOL = Item(medicine="Paracetamol", strength="500 mg", as_needed=True, quantity=20)


def issue(connection: Connection, **changes: Any) -> Prescription:
    """One prescription of two items on an active connection."""
    return issue_prescription(
        actor=connection.doctor,
        connection_id=connection.pk,
        **{"items": [AMLODIPINE, PARACETAMOL], "diagnosis": "Hypertension"} | changes,
    )
