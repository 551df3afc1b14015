"""Two questions an orchestrator asks: is this process alive, and can it serve?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answers as long as the process does; restart it when it does not."""
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when everything a request needs is there; else 503, naming what is missing.

    `{"status": "ok" | "unavailable", "checks": {"database": …, "migrations": …, "redis": …}}`
    with "ok" or "failed" for each; the reason of a failure goes to the log only.
    """
    failed = {name for name, passes in CHECKS.items() if not _passes(name, passes)}
    return JsonResponse(
        {
            "status": "unavailable" if failed else "ok",
            "checks": {name: "failed" if name in failed else "ok" for name in CHECKS},
        },
        status=503 if failed else 200,
    )


def _database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _migrations_are_applied() -> bool:
    applied = MigrationRecorder(connection).applied_migrations()
    return _migrations_of_this_version() <= applied.keys()


@cache
def _migrations_of_this_version() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _redis_answers() -> bool:
    timeout = settings.REDIS_TIMEOUT_SECONDS
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=timeout, socket_connect_timeout=timeout
    ) as client:
        return bool(client.ping())


CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database_answers,
    "migrations": _migrations_are_applied,
    "redis": _redis_answers,
}


def _passes(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (DatabaseError, redis.RedisError) as error:
        logger.warning("Not ready: %s failed with %s.", name, type(error).__name__)
        return False
