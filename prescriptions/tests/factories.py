"""Prescriptions, issued by the service: no row of theirs can be made or mended otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connections.models import Connection
from prescriptions.models import Prescription
from prescriptions.services.checking import Override, SafetyWarnings
from prescriptions.services.issuing import Item, Order, issue_prescription

AMLODIPINE = Item(
    medicine="Amlodipine", strength="5 mg", frequency=1, duration_days=30, quantity=30
)
PARACETAMOL = Item(medicine="Paracetamol", strength="500 mg", as_needed=True, quantity=20)


def issue(connection: Connection, **changes: Any) -> Prescription:
    """One prescription of two items on an active connection. What the safety check finds, such
    as the same medicine in another prescription, the doctor knows."""
    ordered = {"items": [AMLODIPINE, PARACETAMOL], "diagnosis": "Hypertension"} | changes
    order = Order(**ordered)
    try:
        return _issue(connection, order)
    except SafetyWarnings as found:
        known = [Override(warning.key, "It is known.") for warning in found.report.warnings]
        return _issue(connection, replace(order, overrides=known))


def _issue(connection: Connection, order: Order) -> Prescription:
    return issue_prescription(actor=connection.doctor, connection_id=connection.pk, order=order)
