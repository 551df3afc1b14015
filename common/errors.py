"""Rules say no in one way: a `DomainError` with a code. `problems.py` gives it its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from rest_framework import status


class DomainError(Exception):
    """A rule said no.

    Subclasses stand beside the service that raises them and set `code`, `detail` and, where
    it is not a conflict, `status_code`. `attr` names the input field at fault, if one is.
    """

    code = "conflict"
    detail: str | Promise = ""
    status_code: int = status.HTTP_409_CONFLICT

    def __init__(self, detail: str | Promise | None = None, *, attr: str | None = None) -> None:
        if detail is not None:
            self.detail = detail
        self.attr = attr
        super().__init__(str(self.detail))

    @property
    def extra(self) -> Mapping[str, Any]:
        """Further members of the problem document, in the caller's language (RFC 9457, 3.2)."""
        return {}


class InvalidInput(DomainError):
    """What was sent is well-formed but cannot be right."""

    code = "invalid"
    status_code = status.HTTP_400_BAD_REQUEST


class NotAllowed(DomainError):
    """This actor may not do this, and may know that it exists."""

    code = "permission_denied"
    status_code = status.HTTP_403_FORBIDDEN
