"""The only writer of the access log."""

from __future__ import annotations

from uuid import UUID

from django.db import models

from audit.models import AccessEvent


def record_access(
    *, actor_id: UUID | None, patient_id: UUID, action: AccessEvent.Action, target: models.Model
) -> AccessEvent:
    """Log one act; called inside the transaction that grants or performs it."""
    return AccessEvent.objects.create(
        actor_id=actor_id,
        patient_id=patient_id,
        action=action,
        object_type=target._meta.label_lower,
        object_id=target.pk,
    )
