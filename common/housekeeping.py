"""Forgetting what is no longer needed, without holding up those who work."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

BATCH = 1000


def delete_in_batches(rows: QuerySet[Any]) -> int:
    """Delete the rows, a thousand to a statement; returns how many, with what hung on them."""
    count = 0
    while ids := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        # Asked again: what changed since the ids were read may be needed after all.
        count += rows.filter(pk__in=ids).delete()[0]
    return count
