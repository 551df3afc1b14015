"""Announcements to open sockets: said after commit, and never the only copy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from channels.layers import get_channel_layer
from django.db import transaction

from common.layer import REDIS_AWAY

logger = logging.getLogger(__name__)

# A group, and the frame for its sockets.
Announcement = tuple[str, dict[str, Any]]


def announce(group: str, frame: dict[str, Any]) -> None:
    """Hand a frame to every socket of a group, on every node, once this commit stands.

    A dead Redis makes the announcement fail alone: what was written stays written, and the
    client reads it at its next request.
    """
    announce_all([(group, frame)])


def announce_all(announcements: Sequence[Announcement]) -> None:
    """Several at once, which cost Redis and us what one does."""
    # Django names a hook that fails by its `__qualname__`, which a `partial` does not have.
    transaction.on_commit(lambda: _send(announcements), robust=True)


def _send(announcements: Sequence[Announcement]) -> None:
    get_channel_layer().publish(
        [(group, {"type": "forward", "frame": frame}) for group, frame in announcements]
    )


async def whisper(group: str, frame: dict[str, Any]) -> None:
    """The same from a socket, of what is kept nowhere and is soon out of date."""
    try:
        await get_channel_layer().group_send(group, {"type": "forward", "frame": frame})
    except REDIS_AWAY as error:
        logger.warning("A whisper was lost: %s", error)


def announce_change(patient_id: Any, category: str) -> None:
    """Let whoever looks at a patient's chart know that something of that category is another.
    Sockets ask before they pass it on whether their user may know."""
    announce(
        patient_group(patient_id),
        {"type": "chart.changed", "patient_id": str(patient_id), "category": category},
    )


def user_group(user_id: Any) -> str:
    return f"user.{user_id}"


def session_group(session_id: Any) -> str:
    return f"session.{session_id}"


def patient_group(patient_id: Any) -> str:
    """Sockets that watch this patient's chart."""
    return f"patient.{patient_id}"
