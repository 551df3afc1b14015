"""Connecting and parting."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from audit.models import AccessEvent
from audit.services import record_access
from connections.models import Connection
from connections.policies import check_can_connect, check_can_end
from notifications.services import notify
from notifications.wording import Kind


@transaction.atomic
def connect(*, actor: Any, doctor_id: UUID, origin: Connection.Origin) -> Connection:
    """Join the acting patient with a doctor; a connection that ended is taken up again.

    The patient's row is locked first, so two scans at once make one connection.
    """
    patient = User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    doctor = User.objects.get(pk=doctor_id)
    existing = (
        Connection.objects.select_for_update(no_key=True)
        .filter(patient=patient, doctor=doctor)
        .first()
    )
    check_can_connect(patient, doctor, existing)
    now = timezone.now()
    connection = existing or Connection(patient=patient, doctor=doctor)
    connection.status, connection.origin = Connection.Status.ACTIVE, origin
    connection.connected_at, connection.ended_at, connection.ended_by = now, None, None
    connection.save()
    record_access(
        actor_id=patient.pk,
        patient_id=patient.pk,
        action=AccessEvent.Action.CONNECTED,
        target=connection,
    )
    _tell_both(connection, Kind.CONNECTION_MADE)
    return connection


@transaction.atomic
def end_connection(*, actor: Any, connection_id: UUID) -> Connection:
    """End it, by either side: no new prescriptions from here on; what was written stays."""
    connection = (
        Connection.objects.visible_to(actor)
        .select_for_update(of=("self",), no_key=True)
        .select_related("patient", "doctor")
        .filter(pk=connection_id)
        .first()
    )
    if connection is None:
        raise Http404
    check_can_end(actor, connection)
    connection.status = Connection.Status.INACTIVE
    connection.ended_at, connection.ended_by_id = timezone.now(), actor.pk
    connection.save(update_fields=["status", "ended_at", "ended_by"])
    record_access(
        actor_id=actor.pk,
        patient_id=connection.patient_id,
        action=AccessEvent.Action.CONNECTION_ENDED,
        target=connection,
    )
    _tell_both(connection, Kind.CONNECTION_ENDED)
    return connection


def _tell_both(connection: Connection, kind: Kind) -> None:
    for person in (connection.patient, connection.doctor):
        notify(
            recipient=person,
            kind=kind,
            context={"name": connection.other_side(person).display_name_for(person)},
            url=f"/connections/{connection.pk}",
        )
