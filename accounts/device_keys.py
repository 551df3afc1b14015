"""What a browser or an app is known again by: a secret of its own, in a cookie.

It opens nothing. Who brings it back is told from strangers: its owner hears of no new device, and
does not wait for what strangers guess. A place or the name of a browser would not do: the people
of one clinic share an address, and everybody can say they are Firefox.
"""

from __future__ import annotations

import datetime as dt
import re

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from common import crypto

COOKIE = "device"
LASTS = dt.timedelta(days=365)
KEY = re.compile(r"[A-Za-z0-9_-]{43}")


def key_of(request: HttpRequest) -> str:
    """The key of who calls, or a new one; it goes out with the answer."""
    key = brought_key(request) or crypto.new_secret()
    request.device_key = key  # type: ignore[attr-defined]
    return key


def brought_key(request: HttpRequest) -> str:
    """The key of who calls, if they bring one. For a form that another site may have made the
    browser send: its cookie is not sent along then, and must not be replaced by the answer."""
    brought = request.COOKIES.get(COOKIE, "")
    return brought if KEY.fullmatch(brought) else ""


def hand_out(request: HttpRequest, response: HttpResponseBase) -> None:
    """Where somebody signs in, whether or not they get in: a year from now on."""
    key = getattr(request, "device_key", None)
    if key is not None:
        response.set_cookie(
            COOKIE,
            key,
            max_age=LASTS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
