"""Pages that belong to no single app, and what is said when a page cannot be shown."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from common.problems import problem_response

ERROR_CODES = {400: "bad_request", 403: "permission_denied", 404: "not_found", 500: "error"}


def _error(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """A problem under /api, a page elsewhere."""
    if request.path.startswith("/api/"):
        return problem_response(
            request, status_code=status, code=ERROR_CODES[status], detail=detail
        )
    return render(request, f"{status}.html", status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 400, _("The request is not valid."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 403, _("You may not do this."))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 404, _("There is nothing here."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: what its context asks of the database may be what broke."""
    if request.path.startswith("/api/"):
        return _error(request, 500, _("Something went wrong on our side."))
    return HttpResponse(render_to_string("500.html"), status=500)
