"""What the pages of identity share: the browser that comes in, and on what terms."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.device_keys import key_of
from accounts.device_names import name_device
from accounts.middleware import enter_portal
from accounts.models import User
from accounts.services.sessions import Device
from accounts.services.sign_in import SignIn
from accounts.tokens import OnboardingToken, password_mark
from common.client import client_address

# What the cookie of someone who is not signed in may stand for.
REGISTRATION_KEY = "registration"
ONBOARDING_KEY = "onboarding_user"
ONBOARDING_MARK_KEY = "onboarding_mark"
PENDING_KEY = "pending_sign_in"
NEXT_KEY = "pending_next"


def device_of(request: HttpRequest) -> Device:
    """This browser, by the name that people know it by."""
    user_agent = request.headers.get("User-Agent", "")
    return Device(
        ip_address=client_address(request),
        user_agent=user_agent,
        name=name_device(user_agent),
        key=key_of(request),
    )


def enter(request: HttpRequest, came_in: SignIn, *, then: HttpResponse) -> HttpResponse:
    """Go on as whoever came in: to finish their registration, to their second factor, or in."""
    if came_in.session is not None:
        enter_portal(request, came_in.session)
        return then
    if came_in.pending is not None:
        request.session.cycle_key()
        request.session[PENDING_KEY] = str(came_in.pending.pk)
        request.session[NEXT_KEY] = then.headers.get("Location", "")
        return redirect("second-factor")
    begin_onboarding(request, came_in.user)
    return redirect("register-profile")


def begin_onboarding(request: HttpRequest, user: User) -> None:
    """Let this browser go on to step 4 as this user, and nowhere else, until the password is
    another; it is not signed in."""
    request.session.cycle_key()
    request.session.pop(REGISTRATION_KEY, None)
    request.session[ONBOARDING_KEY] = str(user.pk)
    request.session[ONBOARDING_MARK_KEY] = password_mark(user)
    request.session.set_expiry(OnboardingToken.lifetime)
