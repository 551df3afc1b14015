"""QR symbols, drawn."""

from __future__ import annotations

import io

import segno
from django.utils.safestring import SafeString, mark_safe


def qr_svg(text: str) -> SafeString:
    """An inline SVG of the symbol, sized by the page; level M, with its quiet zone."""
    buffer = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        buffer, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, dark="#000",
        light="#fff", svgclass=None, lineclass=None,
    )  # fmt: skip
    return mark_safe(buffer.getvalue().decode())  # noqa: S308 - shapes only, drawn just now


def qr_png_data_uri(text: str) -> str:
    """The symbol as a PNG in a `data:` URI."""
    return segno.make(text, error="m", micro=False).png_data_uri(scale=8, border=4)
