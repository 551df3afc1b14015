"""Identifiers: UUIDv7 (RFC 9562), which sort by the time they were made."""

from uuid import UUID

import uuid_utils.compat


def uuid7() -> UUID:
    """A new time-ordered identifier; safe to show, useless to guess from."""
    return uuid_utils.compat.uuid7()
