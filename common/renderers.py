"""JSON out, by orjson, and files by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import orjson
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer


def _default(value: Any) -> Any:
    if isinstance(value, Promise | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form.")


def dumps(value: Any) -> bytes:
    """JSON bytes; times are RFC 3339 in UTC, decimals and UUIDs are strings."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_UTC_Z)


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset: ClassVar[None] = None

    def render(
        self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None
    ) -> bytes:
        return b"" if data is None else dumps(data)


class FileRenderer(JSONRenderer):
    """Lets a client ask for a kind of file. The file comes as a response of its own, so all that
    is ever rendered here is a problem."""


class PDFRenderer(FileRenderer):
    media_type = "application/pdf"
    format = "pdf"


class PNGRenderer(FileRenderer):
    media_type = "image/png"
    format = "png"
