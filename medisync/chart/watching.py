"""What a doctor at a socket may be told of a patient's chart, asked at every frame."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.services.sessions import find_live_session
from common.errors import DomainError
from common.threads import in_database
from connections.models import AccessGrant

MOST_WATCHED = 10


class NoSuchChart(DomainError):
    code = "not_found"
    detail = _("There is nothing here.")
    status_code = 404


class TooManyWatched(DomainError):
    code = "too_many_watched"
    detail = _("Stop watching another chart first.")


@dataclass(frozen=True, slots=True)
class ChartSight:
    """What is seen at this moment, by which grant, and for how long yet if that has an end."""

    grant_id: UUID
    connection_id: UUID
    categories: tuple[str, ...]
    ends_at: dt.datetime | None
    time_left: dt.timedelta | None

    def frame(self, patient_id: UUID) -> dict[str, object]:
        return {
            "type": "chart.watching",
            "patient_id": patient_id,
            "grant_id": self.grant_id,
            "categories": self.categories,
            "ends_at": self.ends_at,
        }


@in_database
def sight_of(session_id: UUID, patient_id: UUID) -> ChartSight | None:
    """What the session's doctor sees of the patient now, if anything."""
    session = find_live_session(session_id)
    if session is None:
        return None
    grant = AccessGrant.objects.between(session.user, patient_id).with_time_left().first()
    if grant is None:
        return None
    return ChartSight(
        grant_id=grant.pk,
        connection_id=grant.connection_id,
        categories=tuple(grant.categories),
        ends_at=grant.ends_at,
        time_left=grant.time_left,
    )
