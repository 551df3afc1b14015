"""Clock work that is no app's own."""

from __future__ import annotations

from importlib import import_module

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from accounts.services import exports
from medisync.tasks import make_export


@shared_task
def requeue_due_exports() -> None:
    """Every minute: hand over again what a dead broker or worker left behind."""
    for export_id in exports.release_due(timezone.now()):
        make_export.delay(str(export_id))


@shared_task
def delete_expired_exports() -> None:
    """Every hour: delete copies of people's data that were kept for a week."""
    exports.delete_expired(timezone.now())


@shared_task
def delete_expired_cookies() -> None:
    """Every day: forget browsers whose cookie has expired."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
