"""Celery work that reads every app."""

from __future__ import annotations

from celery import shared_task

from medisync import exports


# An expired hand-over is made good by the sweep. A doctor's year takes minutes, not seconds.
@shared_task(time_limit=1800, expires=60)
def make_export(export_id: str) -> None:
    """Make one copy of a person's data; harmless to run twice."""
    exports.make_export(export_id)
