"""Work handed over to the workers.

The task calls services itself, so it stands above them, in `jobs`, and is known here by its name.
"""

from __future__ import annotations

from celery import current_app
from django.db import transaction

from common.models import BaseModel


def hand_over(task: str, row: BaseModel) -> None:
    """Once the row is committed. An expired one is made good by a sweep; so workers that were
    away find no pile."""
    transaction.on_commit(
        lambda: current_app.send_task(task, args=[str(row.pk)], expires=60), robust=True
    )
