"""What the patients with a published password let their doctors see."""

from __future__ import annotations

import datetime as dt

from audit.models import AccessEvent
from connections.models import AccessGrant, Connection, DataCategory
from medisync.demo.chance import uuid7_at
from medisync.demo.people import Clinic
from medisync.demo.traces import log

KEPT_BACK = DataCategory.EMERGENCY_CONTACTS


def share(clinic: Clinic, connection: Connection) -> None:
    """Everything but whom to call, a little after they connected."""
    at = connection.created_at + dt.timedelta(minutes=2)
    grant = clinic.rows.add(
        AccessGrant(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            connection=connection,
            categories=[code for code in DataCategory.values if code != KEPT_BACK],
        )
    )
    log(clinic, connection.patient, AccessEvent.Action.GRANTED, grant, at=at)
