"""The portal's cookie stands for a device session, and falls with it. What an account that is
not in good standing may open."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.utils import timezone, translation

from accounts.models import DeviceSession
from accounts.policies import AccountNotActive
from accounts.services.sessions import find_live_session
from common.pages import with_status

SESSION_KEY = "device_session"


def enter_portal(request: HttpRequest, session: DeviceSession) -> None:
    """Bind the browser's cookie to a device session, under a new key."""
    request.session.flush()
    request.session[SESSION_KEY] = str(session.pk)
    rotate_token(request)


def leave_portal(request: HttpRequest) -> None:
    request.session.flush()
    request.user = AnonymousUser()


class DeviceSessionMiddleware:
    """Signs the request out when its device session has ended; speaks the user's language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session_id = request.session.get(SESSION_KEY)
        if session_id is None:
            request.user = AnonymousUser()
            return self.get_response(request)
        session = find_live_session(UUID(session_id))
        if session is None:
            leave_portal(request)
            return self.get_response(request)
        request.user = session.user
        request.device_session = session  # type: ignore[attr-defined]
        translation.activate(session.user.language)
        request.LANGUAGE_CODE = session.user.language
        with timezone.override(zoneinfo.ZoneInfo(session.user.time_zone)):
            response = self.get_response(request)
        # What a signed-in person saw is not shown by the Back button after they left.
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class StandingMiddleware:
    """The pages' side of `permissions.IsActiveAccount`: an account that is not in good standing
    opens public pages, and those marked `common.pages.open_to_applicants`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        user = request.user
        is_open = not getattr(view, "login_required", True) or not getattr(
            view, "standing_required", True
        )
        if is_open or not user.is_authenticated or user.is_in_good_standing:
            return None
        error = AccountNotActive()
        return with_status(render(request, "refused.html", {"error": error}), error)
