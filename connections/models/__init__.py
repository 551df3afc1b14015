"""The tables of the circle of care: who is connected, who has asked to be, and who may see what."""

from connections.models.connections import Connection, ConnectionQuerySet, Weekday
from connections.models.grants import (
    AccessGrant,
    AccessGrantQuerySet,
    DataCategory,
    Purpose,
    Terms,
    readable,
)
from connections.models.requests import ConnectionRequest, ConnectionRequestQuerySet

__all__ = [
    "AccessGrant",
    "AccessGrantQuerySet",
    "Connection",
    "ConnectionQuerySet",
    "ConnectionRequest",
    "ConnectionRequestQuerySet",
    "DataCategory",
    "Purpose",
    "Terms",
    "Weekday",
    "readable",
]
