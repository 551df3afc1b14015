"""A gate: requests that nothing behind it should have to think about."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from common.problems import refusal

# A form with two documents, plus its other fields.
SESSION_KEY_SHAPE = re.compile(r"[a-z0-9]{32}")
MULTIPART_MAX_BYTES = 2 * settings.DOCUMENT_MAX_BYTES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE


class RequestGuardMiddleware:
    """Refuses bodies over the limit by their declared length, before Django reads a byte, and
    those that are said to be anything but UTF-8: Python would read "hex" with an error.

    Chunked bodies without a length are held to the same limit by the server's spool.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "") if request.path.startswith("/admin/") else ""
        if "\x00" in request.path + unquote(query):
            return refusal(
                request, status_code=404, code="not_found", detail=_("There is nothing here.")
            )
        if not _is_utf8(request):
            return refusal(
                request,
                status_code=415,
                code="unsupported_media_type",
                detail=_("This media type is not accepted."),
            )
        is_multipart = request.content_type == "multipart/form-data"
        limit = MULTIPART_MAX_BYTES if is_multipart else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if _content_length(request) > limit:
            return refusal(
                request,
                status_code=413,
                code="payload_too_large",
                detail=_("The request is too large."),
            )
        response = self.get_response(request)
        if request.path.startswith("/api/v1/"):
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class CookieGuardMiddleware:
    """Drops a session cookie that we cannot have set, before the database is asked for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_session_key(request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")):
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        return self.get_response(request)


def is_session_key(value: str) -> bool:
    """Whether Django can have made this session key."""
    return SESSION_KEY_SHAPE.fullmatch(value) is not None


def _is_utf8(request: HttpRequest) -> bool:
    """Django passes over names that Python does not know."""
    return request.encoding is None or codecs.lookup(request.encoding).name == "utf-8"


def _content_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
