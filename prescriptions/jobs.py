"""Clock work."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from prescriptions.services import claims, reminders


@shared_task
def expire_claims() -> None:
    """Every five minutes: give back what a pharmacy held for too long."""
    claims.expire_claims(timezone.now())


@shared_task
def remind_of_course_ends() -> None:
    """Every hour: tell patients, by day where they are, of medicines that run out soon."""
    reminders.remind_of_course_ends(timezone.now())
