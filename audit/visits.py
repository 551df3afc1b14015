"""The access log as visits: what one person did without a longer pause is one visit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from audit.models import AccessEvent

LONGEST_PAUSE = dt.timedelta(minutes=30)


@dataclass(slots=True)
class Visit:
    """Acts of one person on one patient's data, newest first, with pauses of at most half an
    hour. Whoever has no account, or is nobody, has no id and one line of visits."""

    actor_id: UUID | None
    events: list[AccessEvent] = field(default_factory=list)

    @property
    def began_at(self) -> dt.datetime:
        return self.events[-1].created_at

    @property
    def ended_at(self) -> dt.datetime:
        return self.events[0].created_at

    @property
    def is_moment(self) -> bool:
        """Whether it began and ended within one minute, as clocks show it."""
        return self.ended_at.replace(second=0, microsecond=0) <= self.began_at


def visits_of(events: Iterable[AccessEvent]) -> list[Visit]:
    """The visits that events of one patient make, given newest first; the newest visit first.

    What several people do at once does not break the visits of each.
    """
    visits: list[Visit] = []
    last: dict[UUID | None, Visit] = {}
    for event in events:
        visit = last.get(event.actor_id)
        if visit is None or visit.began_at - event.created_at > LONGEST_PAUSE:
            visit = last[event.actor_id] = Visit(event.actor_id)
            visits.append(visit)
        visit.events.append(event)
    return visits
