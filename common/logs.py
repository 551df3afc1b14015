"""What the log keeps of a request: that it was made and how it ended, and no secret."""

from __future__ import annotations

import re
from typing import Any

import structlog
from structlog.typing import EventDict

# The last part of these addresses opens something.
SECRET_IN_PATH = re.compile(r"(/(?:scan|verify|files|e|shl/file|shl|password/link)/)[^/?]+")


def drop_request_started(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """One line a request is enough: the one that says how it ended."""
    if event.get("event") == "request_started":
        raise structlog.DropEvent
    return event


def drop_query(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """What people searched for is nobody's business: the address ends at its path."""
    if isinstance(event.get("request"), str):
        event["request"] = event["request"].partition("?")[0]
    return event


def mask_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """`/verify/…`, `/scan/…` and their like without what they open; in every text of the line."""
    return {
        name: SECRET_IN_PATH.sub(r"\1***", value) if isinstance(value, str) else value
        for name, value in event.items()
    }
