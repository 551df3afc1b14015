"""A cache that is missed, not mourned, when Redis is away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

logger = logging.getLogger(__name__)


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache; while Redis cannot be reached, reads miss and writes are lost.

    Nothing that must be right is kept only here, so a request goes on without it.
    """

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._forgiving(super().add, False, *args, **kwargs)

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._forgiving(super().get, default, key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._forgiving(super().set, None, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._forgiving(super().delete, False, *args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        return self._forgiving(super().incr, None, *args, **kwargs)

    def _forgiving(self, call: Callable[..., Any], fallback: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except (RedisConnectionError, RedisTimeoutError):
            logger.warning("Redis cannot be reached; going on without the cache.")
            return fallback
