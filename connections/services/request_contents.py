"""What a patient tells in a request: reading it, and erasing it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from accounts.models import User
from audit.models import AccessEvent
from common.runs import each
from connections.models import ConnectionRequest
from connections.models.requests import IMAGE_FOLDER
from connections.services.pairs import lock_pair_of
from connections.services.requests import close_request, log_request, no_reason

Status = ConnectionRequest.Status
# An upload that is still running has a file, and no row that anybody sees.
LOST_AFTER = dt.timedelta(days=1)
BATCH = 1000


@transaction.atomic
def open_request(*, actor: Any, request_id: UUID) -> ConnectionRequest:
    """One request, for someone who may know of it. That they read what the patient told in it
    is logged."""
    seen = ConnectionRequest.objects.seen_by(actor).with_people()
    request = _found(seen.filter(pk=request_id).first())
    if request.is_readable:
        log_request(request, AccessEvent.Action.READ, by=actor)
    return request


@transaction.atomic
def open_image(*, actor: Any, request_id: UUID) -> ConnectionRequest:
    """A request whose picture this person may look at; that they do is logged."""
    shown = ConnectionRequest.objects.image_visible_to(actor)
    request = _found(shown.filter(pk=request_id).first())
    log_request(request, AccessEvent.Action.DOWNLOADED, by=actor)
    return request


def hold_who_waits(*, user_id: UUID, by_id: UUID) -> set[UUID]:
    """Hold a person who is about to be anonymised, who does it, and the patients of all their
    requests that wait: together, in the one order of locks. Returns who is held.

    Later would be too late: a person whose address has changed is not to be referred to until
    the commit, and whoever holds a patient may be about to. Part of the caller's transaction.
    """
    mine = Q(patient=user_id) | Q(doctor=user_id)
    patients = ConnectionRequest.objects.pending().filter(mine).order_by().values("patient")
    people = User.objects.filter(Q(pk__in=[user_id, by_id]) | Q(pk__in=patients)).order_by("pk")
    return {person.pk for person in people.select_for_update(no_key=True)}


@transaction.atomic
def forget_requests(*, user: User, by: User, held: Collection[UUID]) -> None:
    """Of a person who is anonymised: what waits is closed, what they told in requests is
    erased, and so are the reasons that doctors gave them, or they gave as a doctor: those may
    name either. That they asked, and when, stays.

    `held` are those of `hold_who_waits`. What others ask between that and the commit is closed
    by `close_requests`.
    """
    mine = Q(patient=user) | Q(doctor=user)
    waiting = ConnectionRequest.objects.pending().filter(mine, patient__in=held)
    for request in waiting.order_by("patient_id"):
        _close_for_good(request, user, by=by)
    theirs = ConnectionRequest.objects.filter(patient=user)
    for name in theirs.exclude(image="").values_list("image", flat=True):
        _delete_after_commit(name)
    theirs.update(notes="", image="")
    _forget_reasons(ConnectionRequest.objects.filter(mine))


def close_requests(*, user: User, by: User) -> None:
    """Close what waits of a person who is anonymised or takes another role, which may have been
    asked meanwhile. After the commit, and one by one: whoever asks from then on is refused."""
    mine = Q(patient=user) | Q(doctor=user)
    waiting = ConnectionRequest.objects.pending().filter(mine)
    for request in waiting.order_by("patient_id"):
        _close_for_good(request, user, by=by)


def delete_lost_images(now: dt.datetime) -> int:
    """Delete pictures that no request has: a process that is killed between storing one and
    the commit leaves it behind. Returns how many."""
    stored, lost = _stored_images(), 0
    while stored:
        some, stored = set(stored[:BATCH]), stored[BATCH:]
        kept = ConnectionRequest.objects.filter(image__in=some).values_list("image", flat=True)
        lost += each(some.difference(kept), lambda name: _delete_if_old(name, now))
    return lost


def _forget_reasons(requests: QuerySet[ConnectionRequest]) -> None:
    """Each patient reads the sentence for no reason, in their language."""
    rejected = requests.filter(status=Status.REJECTED)
    for language, _name in settings.LANGUAGES:
        rejected.filter(patient__language=language).update(reason=no_reason(language))


def _found(request: ConnectionRequest | None) -> ConnectionRequest:
    if request is None:
        raise Http404
    return request


@transaction.atomic
def _close_for_good(request: ConnectionRequest, user: User, *, by: User) -> None:
    waiting = lock_pair_of(request).waiting
    if waiting is not None and waiting.pk == request.pk:
        status = Status.CANCELLED if waiting.patient_id == user.pk else Status.REJECTED
        close_request(waiting, status, by=by)


def _stored_images() -> list[str]:
    try:
        _folders, files = default_storage.listdir(IMAGE_FOLDER)
    except FileNotFoundError:
        return []
    return [f"{IMAGE_FOLDER}/{file}" for file in files]


def _delete_if_old(name: str, now: dt.datetime) -> bool:
    is_old = default_storage.get_modified_time(name) < now - LOST_AFTER
    if is_old:
        default_storage.delete(name)
    return is_old


def _delete_after_commit(name: str) -> None:
    """A file cannot be rolled back: it goes once no row knows it."""
    transaction.on_commit(lambda: default_storage.delete(name), robust=True)
