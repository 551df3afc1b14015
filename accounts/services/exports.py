"""A copy of one's own data: asked for, made by a worker, kept for a week, then deleted.

What is in it is put together by `medisync.exports`, which may read every app; here is what
becomes of the row and its file.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from functools import partial
from typing import IO, Any
from uuid import UUID

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import DataExport, DeviceSession, User
from accounts.models.exports import export_path
from accounts.policies import check_is_confirmed
from accounts.services.workers import hand_over
from audit.models import AccessEvent
from audit.services import record_access
from common.errors import DomainError
from common.throttling import TooManyRequests
from notifications.services import notify
from notifications.wording import Kind

logger = logging.getLogger(__name__)

# It reads every app, and none of them may be known here.
TASK = "medisync.tasks.make_export"
Status = DataExport.Status


class ExportRunning(DomainError):
    """Carries the export that is being made."""

    code = "export_running"
    detail = _("A copy of your data is being prepared already.")

    def __init__(self, export: DataExport) -> None:
        self.export = export
        super().__init__()


class TooManyExports(TooManyRequests):
    code = "too_many_exports"
    detail = _("You have asked for three copies within a day. Ask again tomorrow.")


class ExportNotReady(DomainError):
    code = "export_not_ready"
    detail = _("This copy is not there to be downloaded.")


class ExportGone(DomainError):
    code = "export_gone"
    detail = _("This copy is no longer kept. Ask for a new one.")


class ClaimLost(Exception):
    """Another worker has the export by now, or its person is gone."""


@transaction.atomic
def request_export(*, session: DeviceSession) -> DataExport:
    """Ask for a copy of one's own data: one at a time, and three a day.

    Raises `ConfirmationNeeded`, `ExportRunning` or `TooManyExports`.
    """
    check_is_confirmed(session)
    user = User.objects.select_for_update(no_key=True).get(pk=session.user_id)
    mine, now = DataExport.objects.visible_to(user), timezone.now()
    running = mine.unfinished().first()
    if running is not None:
        raise ExportRunning(running)
    counted = list(mine.counted(now).order_by("created_at"))
    if len(counted) >= DataExport.MOST_A_DAY:
        free_at = counted[0].created_at + dt.timedelta(days=1)
        raise TooManyExports(int((free_at - now).total_seconds()) + 1)
    export = DataExport.objects.create(user=user)
    hand_over(TASK, export)
    return export


@transaction.atomic
def open_export(*, session: DeviceSession, export_id: UUID) -> DataExport:
    """One's own copy with its file open, to be downloaded; that it was taken is logged.

    It holds what no page shows, so it asks for a confirmation as well. Raises
    `ConfirmationNeeded`, `ExportNotReady` or `ExportGone`.
    """
    export = DataExport.objects.visible_to(session.user).filter(pk=export_id).first()
    if export is None:
        raise Http404
    check_is_confirmed(session)
    _open_file(export)
    if session.user.is_patient:
        record_access(
            actor_id=session.user_id,
            patient_id=session.user_id,
            action=AccessEvent.Action.DOWNLOADED,
            target=export,
            basis=AccessEvent.Basis.SELF,
        )
    return export


def _open_file(export: DataExport) -> None:
    """Nobody gets it after its week, though the file is there until the next sweep."""
    if export.is_over(timezone.now()):
        raise ExportGone
    if export.status != Status.READY:
        raise ExportNotReady
    try:
        export.file.open("rb")
    except FileNotFoundError as error:
        logger.exception("The file of a copy of somebody's data is missing.")
        raise ExportGone from error


def claim_export(export_id: UUID | str) -> DataExport | None:
    """Take it to be made, if nobody else has it."""
    now = timezone.now()
    claimed = (
        DataExport.objects.due(now)
        .filter(pk=export_id, attempts__lt=DataExport.MAX_ATTEMPTS)
        .update(
            status=Status.RUNNING, claimed_at=now, attempts=F("attempts") + 1, done_parts=0
        )
    )  # fmt: skip
    if not claimed:
        return None
    export = DataExport.objects.select_related("user").get(pk=export_id)
    _discard_file(export)
    return export


def record_progress(export: DataExport, *, done_parts: int, all_parts: int) -> None:
    """Let its person see how far it is, and renew the claim; raises `ClaimLost`."""
    _change(export, done_parts=done_parts, all_parts=all_parts, claimed_at=timezone.now())


def keep_export(export: DataExport, content: IO[bytes], *, when_ready: Callable[[], None]) -> None:
    """Store the finished copy and tell its person; raises `ClaimLost`. Whatever else is true
    of a copy that is ready, and of no attempt before, is done with it by `when_ready`.

    The row names the file before the file is there: whatever ends this worker, nothing is left
    in the storage that no row knows of.
    """
    name = export_path(export, "")
    _change(export, file=name)
    try:
        default_storage.save(name, File(content))
        _tell_ready(export, default_storage.size(name), when_ready)
    except Exception:
        default_storage.delete(name)
        raise


@transaction.atomic
def _tell_ready(export: DataExport, size: int, when_ready: Callable[[], None]) -> None:
    # The account before its rows: it may be about to be anonymised.
    User.objects.select_for_update(no_key=True).get(pk=export.user_id)
    now = timezone.now()
    _change(
        export,
        status=Status.READY,
        size=size,
        ready_at=now,
        expires_at=now + DataExport.LASTS,
    )
    when_ready()
    notify(recipient=export.user, kind=Kind.EXPORT_READY, url="/export")


def put_back(export: DataExport) -> None:
    """It went wrong: another attempt, or none any more."""
    is_last = export.attempts >= DataExport.MAX_ATTEMPTS
    _claimed(export).update(status=Status.FAILED if is_last else Status.REQUESTED)


def release_due(now: dt.datetime) -> list[UUID]:
    """Give up on what no attempt has finished; return what wants to be made."""
    for export_id in list(DataExport.objects.used_up(now).values_list("pk", flat=True)):
        _give_up(export_id, now=now)
    return list(DataExport.objects.due(now).values_list("pk", flat=True))


@transaction.atomic
def _give_up(export_id: UUID, *, now: dt.datetime) -> None:
    """The row before its file: an attempt that was only slow may have finished by now, and
    what it made stays."""
    is_given_up = DataExport.objects.used_up(now).filter(pk=export_id).update(status=Status.FAILED)
    if is_given_up:
        _discard_file(DataExport.objects.get(pk=export_id))


def delete_expired(now: dt.datetime) -> None:
    """Delete the files of copies that were kept long enough; that they were made stays known."""
    for export in DataExport.objects.expired(now):
        _discard_file(export)
        DataExport.objects.filter(pk=export.pk).update(status=Status.EXPIRED)


def delete_exports(user: User) -> None:
    """Delete every copy of somebody's data, also one in the making."""
    for export in DataExport.objects.filter(user=user):
        export.delete()
        # The row may yet come back with a rollback; its file could not.
        transaction.on_commit(partial(_delete_file, export.file.name))


def _discard_file(export: DataExport) -> None:
    if export.file:
        _delete_file(export.file.name)
        DataExport.objects.filter(pk=export.pk).update(file="", size=None)


def _delete_file(name: str | None) -> None:
    if name:
        default_storage.delete(name)


def _change(export: DataExport, **values: Any) -> None:
    if not _claimed(export).update(**values):
        raise ClaimLost


def _claimed(export: DataExport) -> Any:
    """The row, as long as this worker's claim on it stands."""
    return DataExport.objects.filter(pk=export.pk, status=Status.RUNNING, attempts=export.attempts)
