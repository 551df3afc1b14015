"""Clock work."""

from __future__ import annotations

from celery import shared_task

from qrverify.services.tokens import forget_stale_tokens


@shared_task
def delete_stale_tokens() -> None:
    """Every hour: forget tokens a week after they ended."""
    forget_stale_tokens()
