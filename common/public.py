"""Pages for whoever holds a secret, be they signed in or not."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

# Kept by nobody on the way, told to no other site, found by no search.
PUBLIC_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


def chosen_language(request: HttpRequest) -> str:
    """By a link, since a page without a referrer cannot post a form; else the browser's."""
    chosen = request.GET.get("language", "")
    return chosen if chosen in dict(settings.LANGUAGES) else translation.get_language() or "en"


def public_page(
    request: HttpRequest, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """The same to everyone, signed in or not."""
    shown = {**context, "user": AnonymousUser()}
    response = render(request, template, shown, status=status)
    for name, value in PUBLIC_HEADERS.items():
        response.headers[name] = value
    return response
