"""Pharmacies at work, by the services."""

from __future__ import annotations

from typing import Any

from common.ids import uuid7
from prescriptions.models import DispenseClaim, Prescription
from prescriptions.services.claiming import HeldClaim, Pharmacy, claim_prescription
from prescriptions.services.dispensing import Line, dispense
from prescriptions.services.pins import open_with_pin


def pharmacy(name: str = "Nile Pharmacy", **changes: Any) -> Pharmacy:
    said = {"pharmacist_name": "Hoda Samir", "licence_number": "PH-1234"} | changes
    return Pharmacy(pharmacy_name=name, **said)


def open_paper(prescription: Prescription) -> str:
    """The pass that the right PIN gives."""
    _prescription, passed = open_with_pin(code=prescription.verification_code, pin=prescription.pin)
    return passed


def claim(prescription: Prescription, name: str = "Nile Pharmacy") -> HeldClaim:
    return claim_prescription(
        passed=open_paper(prescription), pharmacy=pharmacy(name), client_id=uuid7()
    )


def hand_out(held: HeldClaim, *quantities: tuple[int, int]) -> DispenseClaim:
    """So much of the items at these positions."""
    lines = [Line(position, quantity) for position, quantity in quantities]
    return dispense(secret=held.secret, lines=lines, client_id=uuid7())


def wrong_pin(prescription: Prescription) -> str:
    return "000000" if prescription.pin != "000000" else "000001"


def fresh(prescription: Prescription) -> Prescription:
    """As it stands in the database by now."""
    return Prescription.objects.get(pk=prescription.pk)
