"""Scans and photos of paper, judged by what they contain."""

from __future__ import annotations

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from PIL import Image

from common.errors import InvalidInput

IMAGE_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
PDF_TYPE = "application/pdf"
DOCUMENT_SUFFIXES = {
    PDF_TYPE: ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
}
MAX_PIXELS = 50_000_000


class InvalidDocument(InvalidInput):
    code = "invalid_document"
    detail = _("This file is not a readable PDF, JPEG, PNG or WebP.")


def check_document(file: UploadedFile[bytes], *, attr: str) -> str:
    """The media type of a PDF or image within the size limit; raises `InvalidDocument`."""
    if not file.size or file.size > settings.DOCUMENT_MAX_BYTES:
        limit = settings.DOCUMENT_MAX_BYTES // (1024 * 1024)
        raise InvalidDocument(_("The file must be at most %(n)s MB.") % {"n": limit}, attr=attr)
    file.seek(0)
    media_type = sniff_document(file.read(16))
    file.seek(0)
    if media_type is None or (media_type != PDF_TYPE and not _is_sound_image(file)):
        raise InvalidDocument(attr=attr)
    file.seek(0)
    return media_type


def sniff_document(head: bytes) -> str | None:
    """The media type by the first 16 bytes, whatever the file is called."""
    if head.startswith(b"%PDF-"):
        return PDF_TYPE
    if head.startswith(b"\xff\xd8\xff"):
        return IMAGE_TYPES["JPEG"]
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return IMAGE_TYPES["PNG"]
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return IMAGE_TYPES["WEBP"]
    return None


def _is_sound_image(file: UploadedFile[bytes]) -> bool:
    try:
        with Image.open(file, formats=list(IMAGE_TYPES)) as image:
            if image.width * image.height > MAX_PIXELS:
                return False
            image.verify()
    except Exception:  # noqa: BLE001 - Pillow answers broken files with many kinds of error
        return False
    return True
