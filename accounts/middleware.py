"""The portal's cookie stands for a device session, and falls with it. What an account that is
not in good standing may open."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, cast, overload
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation

from accounts.device_keys import hand_out
from accounts.models import DeviceSession
from accounts.policies import AccountNotActive, is_confirmed
from accounts.services.sessions import find_live_session
from common.pages import with_status

SESSION_KEY = "device_session"
View = Callable[..., HttpResponseBase]


def enter_portal(request: HttpRequest, session: DeviceSession) -> None:
    """Bind the browser's cookie to a device session, under a new key."""
    request.session.flush()
    request.session[SESSION_KEY] = str(session.pk)
    rotate_token(request)


def leave_portal(request: HttpRequest) -> None:
    request.session.flush()
    request.user = AnonymousUser()


def device_session(request: HttpRequest) -> DeviceSession:
    """The session that the cookie of someone who is signed in stands for."""
    return cast("DeviceSession", request.device_session)  # type: ignore[attr-defined]


@overload
def confirmed(view: View) -> View: ...
@overload
def confirmed(*, back_to: str) -> Callable[[View], View]: ...
def confirmed(view: View | None = None, *, back_to: str = "") -> Any:
    """Marks a page for whoever has just shown that it is them; anybody else is asked to first.

    They come back to the page itself, or to `back_to`, a URL name: for a view that is a POST
    alone, the page that its button is on::

        @require_POST
        @confirmed(back_to="security")
        def totp_remove(request: HttpRequest) -> HttpResponse: ...
    """
    if view is None:
        return partial(_asking_first, back_to=back_to)
    return _asking_first(view, back_to=back_to)


def _asking_first(view: View, *, back_to: str) -> View:
    @wraps(view)
    def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_confirmed(device_session(request)):
            return view(request, *args, **kwargs)
        return to_confirm(reverse(back_to) if back_to else request.path)

    return asking


def to_confirm(page: str) -> HttpResponse:
    """To the page that asks whether it is you, and from there to the one named."""
    return redirect(confirm_address(page))


def confirm_address(page: str) -> str:
    """The address of that page, for a link to it."""
    query = QueryDict(mutable=True)
    query["next"] = page
    return f"{reverse('confirm')}?{query.urlencode(safe='/')}"


class DeviceSessionMiddleware:
    """Signs the request out when its device session has ended; speaks the user's language; lets
    who signs in keep what their device is known again by."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._answer(request)
        hand_out(request, response)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
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
