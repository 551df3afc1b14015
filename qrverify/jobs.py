"""Clock work."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from qrverify.models import QrToken


@shared_task
def delete_stale_tokens() -> None:
    """Every hour: forget tokens a week after they ended."""
    QrToken.objects.filter(expires_at__lt=timezone.now() - QrToken.KEPT_FOR).delete()
