"""A gate: requests that nothing behind it should have to think about."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from common.problems import refusal

# A form with two documents, plus its other fields.
MULTIPART_MAX_BYTES = 2 * settings.DOCUMENT_MAX_BYTES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE


class RequestGuardMiddleware:
    """Refuses bodies over the limit by their declared length, before Django reads a byte.

    Chunked bodies without a length are held to the same limit by the server's spool.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path:
            return refusal(
                request, status_code=404, code="not_found", detail=_("There is nothing here.")
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
        return self.get_response(request)


def _content_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
