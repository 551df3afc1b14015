"""The one error shape of the API: RFC 9457 problem details."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import exception_handler
from drf_standardized_errors.types import ErrorResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

from common.errors import DomainError
from common.renderers import dumps

PROBLEM_JSON = "application/problem+json"


class PayloadTooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"


def titles() -> dict[int, str]:
    """The problem titles, in the caller's language."""
    return {
        400: _("The request is not valid."),
        401: _("You are not signed in."),
        403: _("You may not do this."),
        404: _("There is nothing here."),
        405: _("This method is not offered here."),
        406: _("This format is not offered."),
        409: _("This cannot be done in the present state."),
        413: _("The request is too large."),
        415: _("This media type is not accepted."),
        429: _("Too many requests."),
        503: _("The service is not available just now."),
    }


def problem(
    *, code: int, slug: str, path: str, errors: list[dict[str, Any]], title: str = ""
) -> dict[str, Any]:
    """The body of every error answer under /api."""
    return {
        "type": f"urn:medisync:problem:{slug.replace('_', '-')}",
        "title": title or titles().get(code, _("Something went wrong on our side.")),
        "status": code,
        "instance": path,
        "errors": errors,
    }


class ProblemFormatter(ExceptionFormatter):
    """Shapes every API exception as a problem."""

    def format_error_response(self, error_response: ErrorResponse) -> dict[str, Any]:
        errors = [asdict(error) for error in error_response.errors]
        attr = getattr(self.original_exc, "attr", None)
        if attr:
            errors = [error | {"attr": attr} for error in errors]
        is_validation = isinstance(self.exc, exceptions.ValidationError)
        body = problem(
            code=self.exc.status_code,
            slug="validation_error" if is_validation else errors[0]["code"],
            path=self.context["request"].path,  # type: ignore[union-attr]
            errors=errors,
        )
        return body | getattr(self.original_exc, "extra", {})


def as_api_exception(error: DomainError) -> exceptions.APIException:
    translated = exceptions.APIException(detail=str(error.detail), code=error.code)
    translated.status_code = error.status_code
    # From here DRF takes the `Retry-After` header.
    translated.wait = getattr(error, "retry_after", None)  # type: ignore[attr-defined]
    return translated


def api_exception_handler(exc: Exception, context: Any) -> Response | None:
    """DRF's exception handler: every error leaves as `application/problem+json`."""
    original = exc
    if isinstance(exc, DomainError):
        exc = as_api_exception(exc)
        exc.attr = original.attr  # type: ignore[attr-defined]
        exc.extra = dict(original.extra)  # type: ignore[attr-defined]
    elif isinstance(exc, TooManyFilesSent | TooManyFieldsSent):
        exc = exceptions.ParseError(_("The request has too many parts."))
    elif isinstance(exc, RequestDataTooBig):
        exc = PayloadTooLarge(_("The request is too large."))
    response = exception_handler(exc, context)
    if response is not None:
        response.content_type = PROBLEM_JSON
    return response


def refusal(request: HttpRequest, *, status_code: int, code: str, detail: str) -> HttpResponse:
    """An early no: a problem under /api, else a page that asks nothing of the request."""
    if request.path.startswith("/api/"):
        return problem_response(request, status_code=status_code, code=code, detail=detail)
    page = render_to_string("refused.html", {"error": {"detail": detail}})
    return HttpResponse(page, status=status_code)


def problem_response(
    request: HttpRequest, *, status_code: int, code: str, detail: str
) -> HttpResponse:
    """A problem from outside DRF: an unknown address, a body too large, a crash."""
    body = problem(
        code=status_code,
        slug=code,
        path=request.path,
        errors=[{"code": code, "detail": detail, "attr": None}],
    )
    return HttpResponse(dumps(body), status=status_code, content_type=PROBLEM_JSON)
