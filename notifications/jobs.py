"""Clock work."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from common.housekeeping import delete_in_batches
from notifications import outbox
from notifications.models import EmailDelivery, Notification
from notifications.tasks import send_email


@shared_task
def requeue_due_emails() -> None:
    """Every 15 s: hand over again what a dead broker or worker left behind."""
    for delivery_id in outbox.release_due(timezone.now()):
        send_email.delay(str(delivery_id))


@shared_task
def delete_old_emails() -> None:
    """Every day: forget to whom mail went, three months after it did."""
    delete_in_batches(EmailDelivery.objects.forgettable(timezone.now()))


@shared_task
def delete_old_notifications() -> None:
    """Every day: forget what somebody has read, a year after they did."""
    delete_in_batches(Notification.objects.forgettable(timezone.now()))
