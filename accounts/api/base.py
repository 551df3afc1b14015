"""What the views of identity share."""

from __future__ import annotations

from typing import ClassVar, cast

from rest_framework import views
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from accounts.device_keys import key_of
from accounts.models import DeviceSession
from accounts.services.sessions import Device
from common.client import client_address


class PublicView(views.APIView):
    """Open to everybody; a token sent along is not even read."""

    authentication_classes: ClassVar = []
    permission_classes: ClassVar = [AllowAny]


def device_of(request: Request, name: str = "") -> Device:
    """Where a call comes from, under the name that the app gave."""
    return Device(
        ip_address=client_address(request._request),
        user_agent=request.headers.get("User-Agent", ""),
        name=name,
        key=key_of(request._request),
    )


def session_of(request: Request) -> DeviceSession:
    """The session whose access token a call carries."""
    return cast("DeviceSession", request.auth)
