"""Signing in with Google over REST."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import oidc
from accounts.api.base import PublicView, device_of
from accounts.api.sessions import SIGN_IN_ANSWER, answer
from accounts.serializers import google as shapes
from accounts.services import google
from common.serializers import valid


class GooglePublicView(PublicView):
    """Not there where Google is not configured."""

    throttle_rate = "10/m"
    throttle_group = "google"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        _check_is_offered()
        super().initial(request, *args, **kwargs)


@extend_schema(tags=["auth"])
class GoogleView(GooglePublicView):
    @extend_schema(responses={302: None})
    def get(self, request: Request) -> HttpResponseRedirect:
        """To the page that leaves for Google: for browsers."""
        return _redirect_to("google-start", request)

    @extend_schema(request=shapes.GoogleSerializer, responses={200: SIGN_IN_ANSWER})
    def post(self, request: Request) -> Response:
        """Sign in with the `id_token` that Google gave an app; each is accepted once, within ten
        minutes. `link_requires_password` and `role_required` ask for one field more: the same
        token is then sent again with it."""
        data = valid(shapes.GoogleSerializer(data=request.data))
        came_in = google.come_in(
            identity=identity_sent(data),
            device=device_of(request, data.get("device_name", "")),
            password=data.get("password", ""),
            newcomer=_newcomer(data),
        )
        return answer(came_in)


@extend_schema(tags=["auth"])
class GoogleCallbackView(GooglePublicView):
    @extend_schema(responses={302: None})
    def get(self, request: Request) -> HttpResponseRedirect:
        """To the page that takes what Google answers."""
        return _redirect_to("google-callback", request)


def identity_sent(data: dict[str, Any]) -> oidc.Identity:
    """Whom the `id_token` of a body speaks of."""
    _check_is_offered()
    return oidc.identity_from_app(data["id_token"], nonce=data.get("nonce", ""))


def _check_is_offered() -> None:
    if not oidc.is_configured():
        raise Http404


def _newcomer(data: dict[str, Any]) -> google.Newcomer | None:
    if "role" not in data:
        return None
    return google.Newcomer(role=data["role"], language=(get_language() or "en")[:2])


def _redirect_to(page: str, request: Request) -> HttpResponseRedirect:
    query = request.META.get("QUERY_STRING", "")
    return HttpResponseRedirect(reverse(page) + (f"?{query}" if query else ""))
