"""One prescription, held still."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404

from accounts.models import User
from connections.models import Connection
from connections.services.pairs import lock_connection
from prescriptions.models import Prescription


def lock_prescription(prescription_id: UUID) -> Prescription:
    """Hold one prescription until the end of the transaction: first its patient, as every verb
    on a pair does, then its row. Whoever may do what with it is asked afterwards."""
    seen = Prescription.objects.filter(pk=prescription_id).first()
    if seen is None:
        raise Http404
    User.objects.select_for_update(no_key=True).get(pk=seen.patient_id)
    return _row(prescription_id)


def lock_written(*, actor: Any, prescription_id: UUID) -> tuple[Connection, Prescription]:
    """One that the actor issued, with the connection it was issued on."""
    mine = Prescription.objects.visible_to(actor).issued_by(actor)
    seen = mine.filter(pk=prescription_id).first()
    if seen is None:
        raise Http404
    _pair, connection = lock_connection(actor=actor, connection_id=seen.connection_id)
    return connection, _row(prescription_id)


def lock_own(*, actor: Any, prescription_id: UUID) -> Prescription:
    """One that was prescribed to the acting patient."""
    mine = Prescription.objects.of(actor).filter(pk=prescription_id)
    if not mine.exists():
        raise Http404
    return lock_prescription(prescription_id)


def _row(prescription_id: UUID) -> Prescription:
    rows = Prescription.objects.with_items().select_for_update(no_key=True, of=("self",))
    return rows.get(pk=prescription_id)
