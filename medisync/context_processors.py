"""What every page shows around its content."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from notifications.models import Notification


def page(request: HttpRequest) -> dict[str, Any]:
    """The unread count, asked only by pages that show it; whether Google is offered."""
    user = getattr(request, "user", AnonymousUser())  # absent where a request fails early

    def unread() -> int:
        return Notification.objects.visible_to(user).unread().counted()

    return {
        "unread_notifications": SimpleLazyObject(unread) if user.is_authenticated else 0,
        "google_is_offered": bool(settings.GOOGLE_CLIENT_ID),
    }
