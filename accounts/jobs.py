"""Clock work."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.models import Registration


@shared_task
def delete_expired_registrations() -> None:
    """Every hour: forget people who began to register and did not go on."""
    Registration.objects.abandoned(timezone.now()).delete()
