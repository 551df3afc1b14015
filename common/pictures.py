"""Pictures that people upload, made anew from their pixels.

What is stored is what can be seen: no position, camera or second file that came along in the
original, and nothing that only pretends to be a picture.
"""

from __future__ import annotations

import io

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from common.documents import IMAGE_TYPES, PDF_TYPE, InvalidDocument, check_document

PICTURE_TYPE = IMAGE_TYPES["JPEG"]
LONGEST_SIDE = 3000
# A JPEG is made smaller while it is read; anything else is laid out in memory whole, and then
# once more.
MOST_PIXELS_AT_ONCE = 25_000_000
QUALITY = 88


def clean_picture(file: UploadedFile[bytes], *, attr: str) -> ContentFile[bytes]:
    """A JPEG of the same pixels, upright, at most 3000 on the longer side; raises
    `InvalidDocument`."""
    made = io.BytesIO()
    picture_of(file, attr=attr).save(made, "JPEG", quality=QUALITY, optimize=True)
    return ContentFile(made.getvalue())


def picture_of(file: UploadedFile[bytes], *, attr: str) -> Image.Image:
    """Its pixels on white, upright, at most 3000 on the longer side; raises `InvalidDocument`,
    before anything is laid out in memory that would fill it."""
    media_type = check_document(file, attr=attr)
    if media_type == PDF_TYPE:
        raise InvalidDocument(_("Choose a photo, not a document."), attr=attr)
    if media_type != PICTURE_TYPE and _pixels(file) > MOST_PIXELS_AT_ONCE:
        raise InvalidDocument(_("This picture has too many pixels; make it smaller."), attr=attr)
    try:
        with Image.open(file, formats=list(IMAGE_TYPES)) as image:
            # Smaller first: whatever follows makes copies.
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image)
            return _on_white(upright)
    except Exception as error:
        raise InvalidDocument(attr=attr) from error


def _pixels(file: UploadedFile[bytes]) -> int:
    with Image.open(file, formats=list(IMAGE_TYPES)) as image:
        pixels = image.width * image.height
    file.seek(0)
    return pixels


def _on_white(image: Image.Image) -> Image.Image:
    """What was transparent is white, as on paper."""
    coloured = image.convert("RGBA")
    sheet = Image.new("RGBA", coloured.size, "white")
    return Image.alpha_composite(sheet, coloured).convert("RGB")
