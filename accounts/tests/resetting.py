"""The way to a new password, for tests that begin in the middle of it."""

from __future__ import annotations

from accounts.models import PasswordReset, User
from accounts.services.passwords import prepare_reset, request_reset, reset_password
from accounts.services.sessions import Device

# Nobody of the cast has ever signed in on it.
ELSEWHERE = Device(ip_address="203.0.113.7", key="another device")
NEW_PASSWORD = "a quite long sentence"


def asked(user: User | None = None, *, email: str = "") -> PasswordReset:
    """A reset that a worker has looked at."""
    reset = request_reset(email=email or (user.email if user else ""), device=ELSEWHERE)
    prepare_reset(reset_id=reset.pk)
    return reset


def reset_with(token: str, new_password: str = NEW_PASSWORD) -> User:
    return reset_password(reset_token=token, new_password=new_password)
