"""People in the admin."""

from accounts.admin import changes, deliveries, licences, review, specializations, users

__all__ = ["changes", "deliveries", "licences", "review", "specializations", "users"]
