"""Telling people of messages that they have not read."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Greatest

from chat.models import Message, Participant
from connections.models import Connection
from notifications.services import notify
from notifications.wording import Kind

# Who looks at the chat has read it by then.
PATIENCE = dt.timedelta(minutes=2)
# What nobody was told of for so long, nobody is told of any more.
FORGOTTEN = dt.timedelta(days=7)


def tell_of_unread(now: dt.datetime) -> int:
    """Tell each person once of what has waited for them for two minutes, however much it is, and
    of what comes later once they have read up to there. Returns how many were told something."""
    return sum(_tell(place_id, now) for place_id in waiting(now))


def waiting(now: dt.datetime) -> list[UUID]:
    """The places of those whose oldest untold message is old enough."""
    # The bound is the chat's, so that it is asked of those places only that are behind.
    oldest = (
        Message.objects.standing()
        .filter(chat=OuterRef("chat"))
        .exclude(sender_id=OuterRef("user"))
        .filter(
            seq__gt=Greatest(OuterRef("last_read_seq"), OuterRef("told_seq")),
            seq__lte=OuterRef("chat__last_seq"),
        )
        .order_by("seq")
        .values("created_at")[:1]
    )
    # Whoever was told and has not read since is not told again.
    return list(
        Participant.objects.filter(
            chat__active_at__gt=now - FORGOTTEN,
            chat__connection__status=Connection.Status.ACTIVE,
            told_seq__lte=F("last_read_seq"),
            chat__last_seq__gt=F("last_read_seq"),
        )
        .alias(oldest=Subquery(oldest))
        .filter(oldest__lte=now - PATIENCE)
        .values_list("pk", flat=True)
    )


@transaction.atomic
def _tell(place_id: UUID, now: dt.datetime) -> bool:
    """Once, of several workers at once and of reading at the same moment: the place is held."""
    pair = ("chat__connection__patient", "chat__connection__doctor")
    places = Participant.objects.select_related("user", *pair)
    place = places.select_for_update(of=("self",), no_key=True).get(pk=place_id)
    if place.told_seq > place.last_read_seq or place.last_read_seq >= place.chat.last_seq:
        return False
    place.told_seq = place.chat.last_seq
    place.save(update_fields=["told_seq"])
    told = notify(
        recipient=place.user,
        kind=Kind.MESSAGE_RECEIVED,
        about=place.chat.connection.other_side(place.user),
        url=f"/chats/{place.chat_id}",
    )
    return told is not None
