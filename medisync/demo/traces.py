"""What each act of the demonstration leaves behind: somebody is told, and it is written down."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from accounts.models import User
from audit.models import AccessEvent
from connections.models import AccessGrant, Connection, ConnectionRequest
from medisync.demo.chance import shortly_after, uuid7_at
from medisync.demo.people import Clinic
from notifications.models import Notification
from notifications.wording import Kind
from prescriptions.models import DispenseClaim, Prescription

LIKELY_READ = 0.9
Target = AccessGrant | Connection | ConnectionRequest | DispenseClaim | Prescription


def tell_both(clinic: Clinic, connection: Connection, kind: Kind, *, at: dt.datetime) -> None:
    """Tell each side of the other."""
    for person in (connection.patient, connection.doctor):
        other, url = connection.other_side(person), f"/connections/{connection.pk}"
        tell(clinic, person, kind, about=other, url=url, at=at)


def tell(
    clinic: Clinic, person: User, kind: Kind, *, about: User | None, url: str, at: dt.datetime
) -> dt.datetime | None:
    """Notify someone; returns when they read it, if they have."""
    read = shortly_after(clinic.rng, at, minutes=600)
    has_read = clinic.rng.random() < LIKELY_READ and read < clinic.world.end
    clinic.rows.add(
        Notification(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            recipient_id=person.pk,
            kind=kind,
            about_id=about.pk if about else None,
            url=url,
            read_at=read if has_read else None,
        )
    )
    return read if has_read else None


def log(
    clinic: Clinic,
    actor: User | None,
    action: AccessEvent.Action,
    target: Target,
    *,
    at: dt.datetime,
) -> AccessEvent | None:
    """Write down who did what, unless it lies ahead."""
    if at >= clinic.world.end:
        return None
    event = clinic.rows.add(
        AccessEvent(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            actor_id=actor.pk if actor else None,
            patient_id=_patient_of(target),
            action=action,
            basis=_basis(actor, action, target),
            object_type=target._meta.label_lower,
            object_id=target.pk,
        )
    )
    if actor and (actor.last_login is None or actor.last_login < at):
        actor.last_login = at
    return event


def _basis(actor: User | None, action: AccessEvent.Action, target: Target) -> AccessEvent.Basis:
    if actor is None:
        is_paper = isinstance(target, DispenseClaim | Prescription)
        return AccessEvent.Basis.QR if is_paper else AccessEvent.Basis.CARE
    if actor.pk == _patient_of(target):
        return AccessEvent.Basis.SELF
    is_reading = action in {AccessEvent.Action.READ, AccessEvent.Action.DOWNLOADED}
    has_written = isinstance(target, Prescription) and target.doctor_id == actor.pk
    return AccessEvent.Basis.AUTHOR if is_reading and has_written else AccessEvent.Basis.CARE


def _patient_of(target: Target) -> UUID:
    if isinstance(target, DispenseClaim):
        return target.prescription.patient_id
    return target.patient_id
