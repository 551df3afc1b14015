"""What the admin pages of all apps share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


class OnlyOwnFilters:
    """The address narrows a list by its declared filters and nothing else: else it could ask
    for `?password__startswith=…` and read hidden columns letter by letter."""

    list_filter: Any = ()

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        declared = {getattr(item, "parameter_name", item) for item in self.list_filter}
        return lookup.removesuffix("__exact") in declared


class LookOnly(OnlyOwnFilters):
    """Rows that come and change by services alone."""

    def has_add_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False
