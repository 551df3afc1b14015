"""Clock work."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from chat.services.telling import tell_of_unread


@shared_task
def tell_of_unread_messages() -> None:
    """Every half minute: whoever has left messages unread for two minutes is told once."""
    tell_of_unread(timezone.now())
