"""E-mails in the outbox."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from notifications.models import EmailDelivery
from notifications.services import post_email
from notifications.wording import Kind


def owe_email(**changes: Any) -> EmailDelivery:
    """One e-mail that is due; `changes` are then written into its row."""
    arguments = {
        name: changes.pop(name, default)
        for name, default in {
            "to_address": "mona@example.org",
            "language": "en",
            "kind": Kind.PRESCRIPTION_ISSUED,
            "url": "/prescriptions/1",
            "secret_context": None,
            "idempotency_key": str(uuid4()),
        }.items()
    }
    delivery = post_email(**arguments)
    if changes:
        EmailDelivery.objects.filter(pk=delivery.pk).update(**changes)
        delivery.refresh_from_db()
    return delivery
