"""Pictures to upload: good ones, and what only looks like one."""

from __future__ import annotations

import io
import struct
import zlib

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

CAIRO = {1: "N", 2: (30.0, 2.0, 40.0), 3: "E", 4: (31.0, 14.0, 8.0)}
GPS, ORIENTATION, CAMERA = 0x8825, 0x0112, 0x0110


def upload(content: bytes, name: str = "paper.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def photo(size: tuple[int, int] = (60, 40), *, orientation: int = 1) -> bytes:
    """A JPEG as a phone takes it: with the camera's name, and where it was taken."""
    exif = Image.Exif()
    exif[CAMERA], exif[ORIENTATION] = "Pocket camera", orientation
    exif[GPS] = CAIRO
    return picture("JPEG", size, exif=exif)


def picture(kind: str, size: tuple[int, int] = (60, 40), **options: object) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, (10, 120, 90)).save(made, kind, **options)
    return made.getvalue()


def see_through() -> bytes:
    """A PNG of which the right half is transparent."""
    image = Image.new("RGBA", (60, 40), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (30, 0, 60, 40))
    made = io.BytesIO()
    image.save(made, "PNG")
    return made.getvalue()


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it has 100 million pixels."""
    head = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    )
