"""QR codes, as a doctor shows them."""

from __future__ import annotations

import io
from typing import Any

import segno
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.models import User
from qrverify.models import QrToken
from qrverify.services.tokens import ShownToken, issue_connection_token


def show_code(doctor: User, **changes: Any) -> ShownToken:
    """A code that can be scanned; `changes` are then written into its row."""
    shown = issue_connection_token(actor=doctor)
    if changes:
        QrToken.objects.filter(pk=shown.token.pk).update(**changes)
        shown.token.refresh_from_db()
    return shown


def photo(*texts: str) -> SimpleUploadedFile:
    """A picture of QR codes side by side, as a phone would take it."""
    symbols = [_symbol(text) for text in texts]
    sheet = Image.new(
        "L", (sum(one.width for one in symbols), max(one.height for one in symbols)), "white"
    )
    at = 0
    for symbol in symbols:
        sheet.paste(symbol, (at, 0))
        at += symbol.width
    made = io.BytesIO()
    sheet.save(made, "PNG")
    return SimpleUploadedFile("photo.png", made.getvalue(), content_type="image/png")


def _symbol(text: str) -> Image.Image:
    made = io.BytesIO()
    segno.make(text, micro=False).save(made, kind="png", scale=6)
    return Image.open(made).convert("L")
