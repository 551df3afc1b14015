"""What every page shows around its content."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from chat.services.reading import unread_count
from notifications.models import Notification


def page(request: HttpRequest) -> dict[str, Any]:
    """The unread counts, asked only by pages that show them; whether Google is offered."""
    user = getattr(request, "user", AnonymousUser())  # absent where a request fails early

    def unread() -> int:
        return Notification.objects.visible_to(user).unread().counted()

    def unread_chats() -> int:
        return unread_count(actor=user)

    return {
        "unread_chats": SimpleLazyObject(unread_chats) if user.is_authenticated else 0,
        "unread_notifications": SimpleLazyObject(unread) if user.is_authenticated else 0,
        "google_is_offered": bool(settings.GOOGLE_CLIENT_ID),
    }
