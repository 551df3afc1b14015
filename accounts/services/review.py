"""What an administrator decides about doctors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Status, StatusChange, User
from accounts.policies import check_can_review_doctor
from common.errors import InvalidInput
from notifications.services import notify
from notifications.wording import Kind


def approve_doctor(*, actor: Any, doctor_id: UUID) -> User:
    """Let a doctor practise here."""
    return _decide(actor, doctor_id, status=Status.ACTIVE, reason="", kind=Kind.DOCTOR_APPROVED)


def reject_doctor(*, actor: Any, doctor_id: UUID, reason: str) -> User:
    """Turn an application down, saying why."""
    if not reason.strip() or "\x00" in reason:
        raise InvalidInput(_("Please give the reason; the applicant will read it."), attr="reason")
    return _decide(
        actor, doctor_id, status=Status.REJECTED, reason=reason, kind=Kind.DOCTOR_REJECTED
    )


@transaction.atomic
def _decide(actor: Any, doctor_id: UUID, *, status: Status, reason: str, kind: Kind) -> User:
    doctor = User.objects.doctors().select_for_update(no_key=True).get(pk=doctor_id)
    check_can_review_doctor(actor, doctor)
    StatusChange.objects.create(
        user=doctor, from_status=doctor.status, to_status=status, changed_by=actor, reason=reason
    )
    doctor.status = status
    doctor.save(update_fields=["status"])
    notify(recipient=doctor, kind=kind, url="/")
    return doctor
