"""Clock work."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from connections.services import cases, reminders, request_contents, requests


@shared_task
def expire_requests() -> None:
    """Every hour: close requests that no doctor answered within thirty days."""
    requests.expire_requests(timezone.now())


@shared_task
def delete_lost_images() -> None:
    """Every day: delete pictures that a crash left without a request."""
    request_contents.delete_lost_images(timezone.now())


@shared_task
def remind_of_cases() -> None:
    """Every day: tell administrators of questions that should have been answered by now."""
    cases.remind_of_overdue(now=timezone.now())


@shared_task
def remind_of_grants() -> None:
    """Every day: tell patients of access that ends soon, and ask about access nobody uses."""
    now = timezone.now()
    reminders.tell_ending(now)
    reminders.ask_dormant(now)
