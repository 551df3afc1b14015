"""Celery work."""

from __future__ import annotations

from celery import shared_task

from notifications import outbox


# An expired hand-over is made good by the sweep; so workers that were away find no pile.
@shared_task(time_limit=45, expires=60)
def send_email(delivery_id: str) -> None:
    """Send one e-mail of the outbox, and hand over the next one of the same person; harmless to
    run twice."""
    if outbox.deliver(delivery_id) and (following := outbox.following(delivery_id)):
        send_email.delay(str(following))
