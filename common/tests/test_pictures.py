"""What is stored of a picture that somebody uploads is what can be seen, and nothing else."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from common.documents import InvalidDocument
from common.pictures import LONGEST_SIDE, clean_picture
from connections.tests.pictures import GPS, bomb, photo, picture, see_through, upload

SCRIPT = b"<html><script>alert(1)</script></html>"


def cleaned(content: bytes, name: str = "paper.jpg") -> Image.Image:
    made = clean_picture(upload(content, name), attr="prescription_image")
    return Image.open(io.BytesIO(made.read()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_kind_becomes_a_jpeg_of_the_same_size(kind: str) -> None:
    image = cleaned(picture(kind), "paper.anything")

    assert (image.format, image.size, image.mode) == ("JPEG", (60, 40), "RGB")


def test_place_and_camera_are_gone() -> None:
    original = photo()
    assert Image.open(io.BytesIO(original)).getexif().get_ifd(GPS)

    made = clean_picture(upload(original), attr="x").read()

    image = Image.open(io.BytesIO(made))
    assert not image.getexif()
    assert b"Exif" not in made
    assert b"Pocket camera" not in made


@pytest.mark.parametrize("where", ["comment", "text", "profile"])
def test_what_else_is_written_into_a_picture_is_gone(where: str) -> None:
    hidden = b"Mona, room 4"
    if where == "comment":
        original = picture("JPEG", comment=hidden)
    elif where == "profile":
        original = picture("PNG", icc_profile=hidden * 20)
    else:
        original = picture("WEBP", xmp=hidden)
    assert hidden in original or where == "profile"

    made = clean_picture(upload(original), attr="x").read()

    assert hidden not in made
    assert Image.open(io.BytesIO(made)).info.keys() <= {
        "jfif", "jfif_version", "jfif_unit", "jfif_density",
    }  # fmt: skip


def test_picture_taken_sideways_stands_upright() -> None:
    assert cleaned(photo((60, 40), orientation=6)).size == (40, 60)


def test_what_is_transparent_becomes_white() -> None:
    image = cleaned(see_through())

    red, white = image.getpixel((10, 20)), image.getpixel((50, 20))
    assert red[0] > 240
    assert red[1] < 20
    assert min(white) > 240


def test_large_picture_is_made_smaller() -> None:
    assert cleaned(picture("JPEG", (6000, 3000))).size == (LONGEST_SIDE, LONGEST_SIDE // 2)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_second_file_behind_a_picture_is_left_out(kind: str) -> None:
    made = clean_picture(upload(picture(kind) + SCRIPT + b"PK\x03\x04"), attr="x").read()

    assert b"script" not in made
    assert b"PK\x03\x04" not in made


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
        b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF",
        SCRIPT,
        b"MZ\x90\x00" + b"\0" * 200,
        b"GIF89a" + picture("JPEG"),
        picture("GIF"),
        picture("BMP"),
        picture("TIFF"),
        picture("PNG")[:60],
        photo()[:200],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 500,
        b"RIFF\x10\x00\x00\x00WEBPVP8 " + b"\0" * 500,
        bomb(),
    ],
    ids=[
        "nothing", "three bytes", "an SVG", "a PDF", "HTML", "a program", "two kinds in one",
        "a GIF", "a BMP", "a TIFF", "half a PNG", "a tenth of a photo", "a PNG of zeros",
        "a WebP of zeros", "a bomb",
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused_at_the_field(content: bytes) -> None:
    with pytest.raises(InvalidDocument) as refused:
        clean_picture(upload(content), attr="prescription_image")

    assert refused.value.attr == "prescription_image"
    assert refused.value.status_code == 400


def test_more_than_ten_megabytes_are_refused() -> None:
    with pytest.raises(InvalidDocument):
        clean_picture(upload(picture("JPEG") + b"\0" * 10 * 1024 * 1024), attr="x")


def test_picture_that_would_fill_the_memory_is_not_laid_out() -> None:
    made = io.BytesIO()
    Image.new("L", (5_100, 5_000)).save(made, "PNG")

    with pytest.raises(InvalidDocument, match="too many pixels"):
        clean_picture(upload(made.getvalue(), "paper.png"), attr="prescription_image")


def test_photo_of_as_many_pixels_is_taken() -> None:
    made = io.BytesIO()
    Image.new("L", (5_100, 5_000)).save(made, "JPEG")

    assert max(cleaned(made.getvalue()).size) <= LONGEST_SIDE
