"""What is typed to look for something."""

from __future__ import annotations

from django.http import HttpRequest


def typed(request: HttpRequest, name: str, *, longest: int) -> str:
    """A word of the address, without what no text of the database has in it."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:longest]
