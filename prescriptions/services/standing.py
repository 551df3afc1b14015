"""How a prescription stands: the only writers of its status, each of which keeps beside it what
changed and why. Each takes one that is held."""

from __future__ import annotations

import datetime as dt
from typing import Any

from prescriptions.models import Prescription, StatusChange, StopReason

Status = Prescription.Status
COLUMNS = [
    "status", "status_reason", "status_note", "status_at", "status_by", "stop_requested_at",
]  # fmt: skip


def supersede(prescription: Prescription, *, by: Any, at: dt.datetime) -> None:
    """Another version takes its place."""
    _change(prescription, Status.SUPERSEDED, by=by, at=at)


def complete(prescription: Prescription, *, at: dt.datetime) -> None:
    """All of it was dispensed."""
    _change(prescription, Status.COMPLETED, by=None, at=at)


def reopen(prescription: Prescription, *, at: dt.datetime) -> None:
    """What completed it was withdrawn."""
    _change(prescription, Status.ACTIVE, by=None, at=at)


def give_reason(
    prescription: Prescription, reason: StopReason, note: str, *, by: Any, at: dt.datetime
) -> None:
    """Why it is, or will be, stopped; to be followed by `stop` or `request_stop`."""
    prescription.status_reason, prescription.status_note = reason, note
    prescription.status_by, prescription.status_at = by, at


def request_stop(prescription: Prescription, *, at: dt.datetime) -> None:
    """It is stopped as soon as the pharmacy that holds it gives it back."""
    prescription.stop_requested_at = at
    prescription.save(update_fields=COLUMNS)
    _keep(prescription, _ending(prescription), by=prescription.status_by, at=at, is_request=True)


def stop(prescription: Prescription, *, at: dt.datetime) -> None:
    """End it for the reason that is on it."""
    _change(prescription, _ending(prescription), by=prescription.status_by, at=at)


def _ending(prescription: Prescription) -> Status:
    """What the reason that is on it makes of it."""
    in_error = prescription.status_reason == StopReason.ENTERED_IN_ERROR
    return Status.ENTERED_IN_ERROR if in_error else Status.STOPPED


def _change(prescription: Prescription, status: Status, *, by: Any, at: dt.datetime) -> None:
    prescription.status, prescription.status_by, prescription.status_at = status, by, at
    prescription.save(update_fields=COLUMNS)
    _keep(prescription, status, by=by, at=at)


def _keep(
    prescription: Prescription,
    status: Status,
    *,
    by: Any,
    at: dt.datetime,
    is_request: bool = False,
) -> None:
    """The prescription says how it stands; what it said before must not be lost by that."""
    StatusChange.objects.create(
        prescription=prescription,
        status=status,
        reason=prescription.status_reason,
        note=prescription.status_note,
        at=at,
        by=by,
        is_request=is_request,
    )
