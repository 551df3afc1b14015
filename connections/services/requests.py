"""Asking to be connected, and the answer."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.models import User
from accounts.services.texts import checked_text
from audit.models import AccessEvent
from audit.services import record_access
from common.files import atomic_with_files
from common.pictures import clean_picture
from common.runs import each
from connections.models import ConnectionRequest
from connections.models.requests import image_path
from connections.policies import check_can_cancel, check_can_request, check_may_try, may_try
from connections.services.grants import NOTHING, Sharing, check_sharing
from connections.services.pairs import Pair, basis_of, lock_pair, lock_pair_of, see_pair
from notifications.services import notify
from notifications.wording import Kind

Status = ConnectionRequest.Status

# How each answer is logged, and what the other side is told.
ENDS: dict[str, tuple[AccessEvent.Action, Kind]] = {
    Status.ACCEPTED: (AccessEvent.Action.REQUEST_ACCEPTED, Kind.REQUEST_ACCEPTED),
    Status.REJECTED: (AccessEvent.Action.REQUEST_REJECTED, Kind.REQUEST_REJECTED),
    Status.CANCELLED: (AccessEvent.Action.REQUEST_CANCELLED, Kind.REQUEST_CANCELLED),
    Status.EXPIRED: (AccessEvent.Action.REQUEST_EXPIRED, Kind.REQUEST_EXPIRED),
}


def find_doctor_to_ask(*, actor: Any, doctor_id: UUID) -> User:
    """The doctor whom a patient is about to ask; raises what asking would raise, as far as the
    patient may know it."""
    pair = see_pair(patient_id=actor.pk, doctor_id=doctor_id)
    check_may_try(pair.patient, pair.doctor, pair.connection, is_waiting=_waits(pair))
    return pair.doctor


def may_ask(*, actor: Any, doctor_id: UUID) -> bool:
    """Whether asking that doctor is offered."""
    pair = see_pair(patient_id=actor.pk, doctor_id=doctor_id)
    return may_try(pair.patient, pair.doctor, pair.connection, is_waiting=_waits(pair))


def send_request(
    *,
    actor: Any,
    doctor_id: UUID,
    notes: str = "",
    image: UploadedFile[bytes] | None = None,
    sharing: Sharing = NOTHING,
) -> ConnectionRequest:
    """Ask a doctor to connect, with a few words, a picture of an earlier prescription, and what
    the doctor would see once connected. Until then the doctor sees the words and the picture."""
    notes = checked_text(notes, attr="notes", length=ConnectionRequest.NOTES_LENGTH)
    check_sharing(sharing, now=timezone.now())
    request = ConnectionRequest(notes=notes)
    sharing.put_on(request)
    picture = clean_picture(image, attr="prescription_image") if image is not None else None
    if picture is not None:
        request.image = image_path(request, "")
    with atomic_with_files(*filter(None, [request.image.name])):
        pair = lock_pair(patient_id=actor.pk, doctor_id=doctor_id)
        _ask(pair, request)
        if picture is not None:
            default_storage.save(request.image.name, picture)
    return request


@transaction.atomic
def cancel_request(*, actor: Any, request_id: UUID) -> ConnectionRequest:
    """Withdraw the own request while it waits."""
    _pair, request = lock_request(actor=actor, request_id=request_id)
    check_can_cancel(actor, request, timezone.now())
    return close_request(request, Status.CANCELLED, by=actor)


def expire_requests(now: dt.datetime) -> int:
    """Close what nobody answered in thirty days; returns how many. Each for itself, so that one
    that is being answered holds up no other."""
    overdue = ConnectionRequest.objects.overdue(now).order_by("expires_at")
    ids = overdue.values_list("pk", flat=True).iterator()
    return each(ids, lambda pk: _expire(pk, now))


def lock_request(*, actor: Any, request_id: UUID) -> tuple[Pair, ConnectionRequest]:
    """A request that the actor may know of, with its pair."""
    seen = ConnectionRequest.objects.visible_to(actor).filter(pk=request_id).first()
    pair = lock_pair_of(seen)
    if pair.waiting is not None and pair.waiting.pk == request_id:
        return pair, pair.waiting
    # Answered before; read anew, for that may have been a moment ago.
    return pair, ConnectionRequest.objects.with_people().get(pk=request_id)


def close_request(
    request: ConnectionRequest,
    status: ConnectionRequest.Status,
    *,
    by: Any,
    reason: str = "",
    at: dt.datetime | None = None,
    tells: bool = True,
) -> ConnectionRequest:
    """Give a request that is locked its answer, and tell the other side of it, unless they are
    told more."""
    if status == Status.REJECTED and not reason:
        reason = no_reason(request.patient.language)
    request.status, request.reason = status, reason
    request.decided_at, request.decided_by_id = at or timezone.now(), by.pk if by else None
    request.save(update_fields=["status", "reason", "decided_at", "decided_by"])
    action, kind = ENDS[status]
    log_request(request, action, by=by)
    if tells:
        _tell(request, request.doctor if status == Status.CANCELLED else request.patient, kind)
    return request


def close_overdue(pair: Pair, now: dt.datetime) -> None:
    """A request whose time is over is answered by nobody, and keeps the patient from nothing."""
    if pair.waiting is not None and not pair.waiting.is_open(now):
        close_request(pair.waiting, Status.EXPIRED, by=None)
        pair.waiting = None


def _waits(pair: Pair) -> bool:
    return pair.waiting is not None and pair.waiting.is_open(timezone.now())


def _ask(pair: Pair, request: ConnectionRequest) -> None:
    check_can_request(pair.patient, pair.doctor, pair.connection, is_waiting=_waits(pair))
    close_overdue(pair, timezone.now())
    request.patient, request.doctor = pair.patient, pair.doctor
    request.save(force_insert=True)
    log_request(request, AccessEvent.Action.REQUESTED, by=pair.patient)
    _tell(request, pair.doctor, Kind.CONNECTION_REQUESTED)


@transaction.atomic
def _expire(request_id: UUID, now: dt.datetime) -> bool:
    request = ConnectionRequest.objects.filter(pk=request_id).first()
    if request is None:
        return False
    pair = lock_pair_of(request)
    waiting = pair.waiting
    if waiting is None or waiting.pk != request_id or waiting.is_open(now):
        return False
    close_request(waiting, Status.EXPIRED, by=None)
    return True


def no_reason(language: str) -> str:
    """What a patient reads where the doctor gives no reason: one who blocks them gives none, so
    one who declines may give none either."""
    with translation.override(language):
        return gettext("The doctor cannot take this request.")


def log_request(request: ConnectionRequest, action: AccessEvent.Action, *, by: Any) -> None:
    """Write down in the patient's log who did something with a request, and as what."""
    record_access(
        actor_id=by.pk if by else None,
        patient_id=request.patient_id,
        action=action,
        target=request,
        basis=basis_of(request, by),
    )


def _tell(request: ConnectionRequest, recipient: User, kind: Kind) -> None:
    about = request.doctor if recipient.pk == request.patient_id else request.patient
    notify(recipient=recipient, kind=kind, about=about, url=f"/requests/{request.pk}")
