"""QR symbols, drawn and read."""

from __future__ import annotations

import io

import segno
import zxingcpp
from django.core.files.uploadedfile import UploadedFile
from PIL import Image

from common.documents import check_document

ONLY_QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])


def qr_svg(text: str) -> str:
    """An inline SVG of the symbol, sized by the page; level M, with its quiet zone."""
    buffer = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        buffer, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, dark="#000",
        light="#fff", svgclass="qr", lineclass=None,
    )  # fmt: skip
    return buffer.getvalue().decode()


def qr_png_data_uri(text: str) -> str:
    """The symbol as a PNG in a `data:` URI."""
    return segno.make(text, error="m", micro=False).png_data_uri(scale=8, border=4)


def read_qr(photo: UploadedFile[bytes]) -> str | None:
    """The text of the QR code on a photo; None where none can be read."""
    check_document(photo, attr="photo")
    with Image.open(photo) as image:
        image.thumbnail((2000, 2000))
        found = zxingcpp.read_barcodes(image.convert("L"), formats=ONLY_QR)
    return found[0].text if found else None
