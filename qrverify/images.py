"""QR symbols, read from photos."""

from __future__ import annotations

from typing import Any

import zxingcpp
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from common.documents import InvalidDocument
from common.pictures import picture_of

ONLY_QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])


class NothingOnPhoto(InvalidDocument):
    code = "no_code_on_photo"
    detail = _("No code could be read on this photo. Go closer, hold still, or type it.")


def read_qr(photo: UploadedFile[Any], *, attr: str) -> list[str]:
    """The texts of the QR codes on a photo, each once. Raises `InvalidDocument`, and where none
    can be read `NothingOnPhoto`."""
    found = zxingcpp.read_barcodes(picture_of(photo, attr=attr).convert("L"), formats=ONLY_QR)
    texts = [*dict.fromkeys(code.text for code in found)]
    if not texts:
        raise NothingOnPhoto(attr=attr)
    return texts
