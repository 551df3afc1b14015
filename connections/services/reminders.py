"""What patients are asked about the access they gave: that it ends soon, that nobody uses it."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction

from common.runs import each
from connections.models import AccessGrant, AccessGrantQuerySet
from connections.services.pairs import lock_pair_of
from notifications.services import notify
from notifications.wording import Kind


def tell_ending(now: dt.datetime) -> int:
    """Tell those whose grant ends within a week, once; returns how many."""
    due = AccessGrant.objects.ending_soon(now)
    return each(_ids(due), lambda pk: _prompt(pk, due, Kind.GRANT_ENDING, now))


def ask_dormant(now: dt.datetime) -> int:
    """Ask those whose grant nobody has used, made or asked about for half a year whether it is
    still wanted; returns how many."""
    due = AccessGrant.objects.dormant(now)
    return each(_ids(due), lambda pk: _prompt(pk, due, Kind.GRANT_DORMANT, now))


def _ids(due: AccessGrantQuerySet) -> list[UUID]:
    return list(due.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _prompt(grant_id: UUID, due: AccessGrantQuerySet, kind: Kind, now: dt.datetime) -> bool:
    """One by one, so that a grant that is being changed holds up no other. Whoever comes second,
    another run or the patient, finds that it is not due any more."""
    grant = AccessGrant.objects.select_related("connection").get(pk=grant_id)
    pair = lock_pair_of(grant.connection)
    if not due.filter(pk=grant_id).exists():
        return False
    AccessGrant.objects.filter(pk=grant_id).update(prompted_at=now)
    notify(
        recipient=pair.patient,
        kind=kind,
        about=pair.doctor,
        url=f"/connections/{grant.connection_id}",
    )
    return True
