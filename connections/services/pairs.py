"""One patient and one doctor, held still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import Http404

from accounts.models import User
from audit.models import AccessEvent
from connections.models import Connection, ConnectionRequest

Row = TypeVar("Row", bound=Model)

# The lock that a foreign key takes, which Django's queries cannot ask for. It waits for whoever
# changes the address, and anonymising does.
KEPT = "SELECT * FROM accounts_user WHERE id = %s FOR KEY SHARE"


@dataclass(slots=True)
class Pair:
    """Both people, and how they stand, locked until the end of the transaction."""

    patient: User
    doctor: User
    connection: Connection | None
    waiting: ConnectionRequest | None


def lock_pair(*, patient_id: UUID, doctor_id: UUID) -> Pair:
    """Hold everything that two people are to each other.

    The patient's row is locked first, so that of two verbs about one pair the second sees what
    the first has done, also where there is no row of the pair yet. Of the doctor, who has other
    pairs, no more is held than that nobody anonymises them meanwhile.
    """
    patient = _locked(User.objects.filter(pk=patient_id)).first()
    doctor = next(iter(User.objects.raw(KEPT, [doctor_id])), None)
    return _pair(patient, doctor, hold=_locked)


def see_pair(*, patient_id: UUID, doctor_id: UUID) -> Pair:
    """How two people stand, without holding them: for a page that offers a verb."""
    patient = User.objects.filter(pk=patient_id).first()
    doctor = User.objects.filter(pk=doctor_id).first()
    return _pair(patient, doctor, hold=_as_it_is)


def _locked(rows: QuerySet[Row]) -> QuerySet[Row]:
    return rows.select_for_update(no_key=True)


def _as_it_is(rows: QuerySet[Row]) -> QuerySet[Row]:
    return rows


def _pair(patient: User | None, doctor: User | None, *, hold: Callable[[Any], Any]) -> Pair:
    if patient is None or doctor is None:
        raise Http404
    of_pair = {"patient": patient, "doctor": doctor}
    connection = hold(Connection.objects.filter(**of_pair)).first()
    waiting = hold(ConnectionRequest.objects.pending().filter(**of_pair)).first()
    pair = Pair(patient, doctor, connection, waiting)
    for row in (connection, waiting):
        if row is not None:
            row.patient, row.doctor = patient, doctor
    return pair


def lock_pair_of(row: Connection | ConnectionRequest | None) -> Pair:
    """The pair of a row that was read without a lock."""
    if row is None:
        raise Http404
    return lock_pair(patient_id=row.patient_id, doctor_id=row.doctor_id)


def lock_connection(*, actor: Any, connection_id: UUID) -> tuple[Pair, Connection]:
    """A connection that the actor may know of, with its pair."""
    seen = Connection.objects.visible_to(actor).filter(pk=connection_id).first()
    pair = lock_pair_of(seen)
    if pair.connection is None:
        raise Http404
    return pair, pair.connection


def basis_of(row: Connection | ConnectionRequest, by: Any) -> AccessEvent.Basis:
    """As what somebody acts on a pair: as one of the two, or as an administrator. What nobody
    does, time does, as part of the care."""
    if by is None or by.pk == row.doctor_id:
        return AccessEvent.Basis.CARE
    is_patient = by.pk == row.patient_id
    return AccessEvent.Basis.SELF if is_patient else AccessEvent.Basis.ADMINISTRATION
