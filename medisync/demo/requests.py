"""Who asked whom to be connected: those that wait, those that came to nothing, and those by
which people know each other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from accounts.models import User
from audit.models import AccessEvent
from connections.models import Connection, ConnectionRequest, DataCategory
from connections.models.requests import LASTS
from medisync.demo.chance import dice, uuid7_at, working_instant
from medisync.demo.names import ASKED_FOR, DECLINED
from medisync.demo.people import Clinic
from medisync.demo.traces import log, tell
from notifications.wording import Kind

# Every third connection came about by asking.
BY_REQUEST = 3
DAY = dt.timedelta(days=1)
Status = ConnectionRequest.Status
Action = AccessEvent.Action


class End(NamedTuple):
    """How a request ends, and what it leaves behind."""

    status: Status
    action: AccessEvent.Action
    kind: Kind


ACCEPTED = End(Status.ACCEPTED, Action.REQUEST_ACCEPTED, Kind.REQUEST_ACCEPTED)
REJECTED = End(Status.REJECTED, Action.REQUEST_REJECTED, Kind.REQUEST_REJECTED)
CANCELLED = End(Status.CANCELLED, Action.REQUEST_CANCELLED, Kind.REQUEST_CANCELLED)
EXPIRED = End(Status.EXPIRED, Action.REQUEST_EXPIRED, Kind.REQUEST_EXPIRED)
# Of each doctor's requests: how they ended, None for those that wait, and how many days ago
# they were sent.
SENT: tuple[tuple[End | None, int], ...] = (
    (None, 9), (None, 4), (None, 2), (REJECTED, 40), (CANCELLED, 25), (EXPIRED, 70),
)  # fmt: skip
BY_THE_FIRST: tuple[tuple[End | None, int], ...] = ((None, 3), (REJECTED, 20))


def make_requests(
    clinic: Clinic, doctors: Sequence[User], patients: Sequence[User], known: Sequence[Connection]
) -> None:
    """Every doctor has some of each kind. The first two patients, who are the published ones,
    ask a doctor they do not know, and were declined by another."""
    rng = dice(clinic.world.seed, clinic.number, "asked")
    clinic = Clinic(clinic.world, clinic.number, rng, clinic.rows)
    pairs = {(connection.patient_id, connection.doctor_id) for connection in known}
    for patient in patients[:2]:
        others = [doctor for doctor in doctors if (patient.pk, doctor.pk) not in pairs]
        for (end, days), doctor in zip(BY_THE_FIRST, others, strict=False):
            _ask(clinic, patient, doctor, end, days)
    for doctor in doctors:
        strangers = [one for one in patients[2:] if (one.pk, doctor.pk) not in pairs]
        rng.shuffle(strangers)
        for end, days in SENT:
            since = clinic.world.end - (days + 1) * DAY
            patient = next(one for one in strangers if one.created_at < since)
            strangers.remove(patient)
            _ask(clinic, patient, doctor, end, days)
    for connection in known[::BY_REQUEST]:
        connection.origin = Connection.Origin.REQUEST
        made = connection.connected_at or clinic.world.end
        sent = _send(clinic, connection.patient, connection.doctor, at=made - DAY / 2)
        _close(clinic, sent, ACCEPTED, at=made)


def _ask(clinic: Clinic, patient: User, doctor: User, end: End | None, days: int) -> None:
    """That many days ago; with the answer three days later, or when time was over."""
    day = clinic.world.end - days * DAY
    at = working_instant(clinic.rng, day, day + DAY)
    sent = _send(clinic, patient, doctor, at=at)
    if end is None:
        tell(clinic, doctor, Kind.CONNECTION_REQUESTED, about=patient, url=_url(sent), at=at)
    else:
        _close(clinic, sent, end, at=at + (LASTS if end is EXPIRED else 3 * DAY))


def _send(clinic: Clinic, patient: User, doctor: User, *, at: dt.datetime) -> ConnectionRequest:
    sent = ConnectionRequest(
        id=uuid7_at(at, clinic.rng),
        created_at=at,
        patient=patient,
        doctor=doctor,
        notes=getattr(clinic.rng.choice(ASKED_FOR), patient.language),
        categories=[DataCategory.FACTS, DataCategory.ALLERGIES, DataCategory.MEDICATIONS],
        expires_at=at + LASTS,
    )
    log(clinic, patient, Action.REQUESTED, sent, at=at)
    return clinic.rows.add(sent)


def _close(clinic: Clinic, sent: ConnectionRequest, end: End, *, at: dt.datetime) -> None:
    by = {CANCELLED: sent.patient, EXPIRED: None}.get(end, sent.doctor)
    sent.status, sent.decided_at, sent.decided_by = end.status, at, by
    if end is REJECTED:
        sent.reason = getattr(clinic.rng.choice(DECLINED), sent.patient.language)
    log(clinic, by, end.action, sent, at=at)
    told, about = sent.patient, sent.doctor
    if end is CANCELLED:
        told, about = about, told
    tell(clinic, told, end.kind, about=about, url=_url(sent), at=at)


def _url(request: ConnectionRequest) -> str:
    return f"/requests/{request.pk}"
