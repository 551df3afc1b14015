"""QR codes, as a doctor shows them."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from qrverify.models import QrToken
from qrverify.services import ShownToken, issue_connection_token


def show_code(doctor: User, **changes: Any) -> ShownToken:
    """A code that can be scanned; `changes` are then written into its row."""
    shown = issue_connection_token(actor=doctor)
    if changes:
        QrToken.objects.filter(pk=shown.token.pk).update(**changes)
        shown.token.refresh_from_db()
    return shown
