"""Clock work."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from notifications import outbox
from notifications.tasks import send_email


@shared_task
def requeue_due_emails() -> None:
    """Every 15 s: hand over again what a dead broker or worker left behind."""
    for delivery_id in outbox.release_due(timezone.now()):
        send_email.delay(str(delivery_id))
