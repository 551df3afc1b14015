"""Celery work."""

from __future__ import annotations

from celery import shared_task

from notifications import outbox


@shared_task(time_limit=45)
def send_email(delivery_id: str) -> None:
    """Send one e-mail of the outbox; harmless to run twice."""
    outbox.deliver(delivery_id)
