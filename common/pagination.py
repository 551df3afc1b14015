"""Feeds are read with a cursor: steady while rows arrive, equally quick on every page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

# What pages a list is the paginator's to judge, and no filter.
PAGING = frozenset({"cursor", "limit", "page"})
# Any number that a bigint holds, and no number that it does not.
TURN = re.compile(r"-?[0-9]{1,18}")


class FeedPagination(CursorPagination):
    """Newest first, at most 100 a page. Ids are UUIDv7, so they order by time."""

    ordering = "-id"
    page_size = 20
    page_size_query_param = "limit"
    max_page_size = 100

    def decode_cursor(self, request: Request) -> Any:
        """A cursor points at a row of the order; one that does not was not made here."""
        cursor = super().decode_cursor(request)
        try:
            if cursor is not None and cursor.position is not None:
                self.check_position(str(cursor.position))
        except ValueError as error:
            raise NotFound(self.invalid_cursor_message) from error
        return cursor

    def check_position(self, position: str) -> None:
        UUID(position)

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {"results": data, "next": self.get_next_link(), "previous": self.get_previous_link()}
        )

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }


class TurnPagination(FeedPagination):
    """By an annotation `turn`, a number: what has the largest comes first. For lists whose order
    is made of several columns."""

    ordering = ("-turn", "-id")  # type: ignore[assignment]

    def check_position(self, position: str) -> None:
        if not TURN.fullmatch(position):
            raise ValueError(position)


class NumberedPagination(PageNumberPagination):
    """Pages by number, with the `count` of all rows: for the lists of administrators, who look
    for somebody, or want to know how many there are. At most 100 a page."""

    page_size = 20
    page_size_query_param = "limit"
    max_page_size = 100


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page of a feed, with the links of `{% pagination %}`; an empty link is the end."""

    rows: list[Any]
    newer: str
    older: str


def feed_page(
    request: HttpRequest, rows: QuerySet[Any], by: type[FeedPagination] = FeedPagination
) -> FeedPage:
    """The page of a feed that a portal page was asked for: same cursors, same sizes."""
    paginator = by()
    try:
        found = paginator.paginate_queryset(rows, Request(request))
    except NotFound as error:
        raise Http404 from error
    return FeedPage(
        rows=list(found or []),
        newer=paginator.get_previous_link() or "",
        older=paginator.get_next_link() or "",
    )
