"""The project: settings, URLs, servers and the pages that compose several apps."""

from medisync.celery import app as celery_app

__all__ = ["celery_app"]
