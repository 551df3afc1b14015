"""Stopping a prescription, at once or as soon as the pharmacy that holds it gives it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import AccessEvent
from common.errors import InvalidInput
from notifications.wording import Kind
from prescriptions.models import Prescription, StopReason
from prescriptions.policies import check_can_stop
from prescriptions.services import standing
from prescriptions.services.claims import end_overdue_claim, standing_claim
from prescriptions.services.holding import lock_written
from prescriptions.services.issuing import tell
from prescriptions.services.refills import decline_stopped
from prescriptions.services.texts import check_text


@transaction.atomic
def stop_prescription(
    *, actor: Any, prescription_id: UUID, reason: StopReason, note: str = ""
) -> Prescription:
    """The prescriber stops it, for a coded reason; also after the two have parted, and after all
    of it was handed out.

    While a pharmacy holds it, stopping is only asked for: the pharmacy sees it, dispenses
    nothing more, and it is stopped when the pharmacy gives it back or its time is over.
    """
    _connection, prescription = lock_written(actor=actor, prescription_id=prescription_id)
    now = timezone.now()
    end_overdue_claim(prescription, at=now)
    check_can_stop(actor, prescription, reason)
    if reason == StopReason.OTHER and not note.strip():
        raise InvalidInput(_("Say what the reason is."), attr="note")
    check_text(note, attr="note")
    standing.give_reason(prescription, reason, note, by=actor, at=now)
    if standing_claim(prescription) is None:
        standing.stop(prescription, at=now)
        decline_stopped(prescription, at=now)
    else:
        standing.request_stop(prescription, at=now)
    tell(prescription, AccessEvent.Action.STOPPED, Kind.PRESCRIPTION_STOPPED)
    return prescription
