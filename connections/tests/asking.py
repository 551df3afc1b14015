"""Accesses that a patient may ask about."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from audit.models import AccessCase, AccessEvent
from audit.services import record_access
from connections.models import DataCategory
from connections.services.cases import question_access


def looked(actor: User | None, patient: User, **fields: Any) -> AccessEvent:
    """Somebody has looked at a patient's allergies, unless told otherwise."""
    known: dict[str, Any] = {
        "action": AccessEvent.Action.READ,
        "target": patient,
        "basis": AccessEvent.Basis.SELF if actor == patient else AccessEvent.Basis.GRANT,
        "category": DataCategory.ALLERGIES,
    }
    actor_id = actor.pk if actor else None
    return record_access(actor_id=actor_id, patient_id=patient.pk, **(known | fields))


def ask(patient: User, event: AccessEvent, question: str = "Why was this opened?") -> AccessCase:
    return question_access(actor=patient, event_id=event.pk, question=question)
