"""QR symbols, read from photos."""

from __future__ import annotations

import zxingcpp
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from PIL import Image

from common.documents import PDF_TYPE, InvalidDocument, check_document

ONLY_QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])


def read_qr(photo: UploadedFile[bytes]) -> str | None:
    """The text of the QR code on a photo; None where none can be read."""
    if check_document(photo, attr="photo") == PDF_TYPE:
        raise InvalidDocument(_("Choose a photo, not a document."), attr="photo")
    try:
        with Image.open(photo) as image:
            image.thumbnail((2000, 2000))
            grey = image.convert("L")
    except Exception as error:
        raise InvalidDocument(attr="photo") from error
    found = zxingcpp.read_barcodes(grey, formats=ONLY_QR)
    return found[0].text if found else None
