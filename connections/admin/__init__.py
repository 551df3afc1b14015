"""The circle of care in the admin."""

from connections.admin import cases

__all__ = ["cases"]
