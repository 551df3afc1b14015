"""The way to a new password, for tests that begin in the middle of it."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from accounts.models import PasswordReset, User
from accounts.services.passwords import prepare_reset, request_reset, reset_password
from accounts.services.sessions import Device
from notifications.models import EmailDelivery
from notifications.wording import Kind

# Nobody of the cast has ever signed in on it.
ELSEWHERE = Device(ip_address="203.0.113.7", key="another device")
NEW_PASSWORD = "a quite long sentence"


def asked(user: User | None = None, *, email: str = "") -> PasswordReset:
    """A reset that a worker has looked at."""
    reset = request_reset(email=email or (user.email if user else ""), device=ELSEWHERE)
    prepare_reset(reset_id=reset.pk)
    return reset


def reset_with(token: str, new_password: str = NEW_PASSWORD) -> User:
    return reset_password(reset_token=token, new_password=new_password, device=ELSEWHERE)


def link_to(address: str) -> str:
    """The link in the newest mail to an address, as the outbox keeps it until it is sent."""
    mails = EmailDelivery.objects.filter(to_address=address, kind=Kind.PASSWORD_RESET_CODE)
    secrets = json.loads(mails.latest("created_at").secret_context)
    return urlsplit(secrets["link"]).path


def secret_in(link: str) -> str:
    return link.rpartition("/")[2]
