"""The sheet as an answer."""

from __future__ import annotations

from django.http import HttpResponse

from common.files import show_pdf


def pdf_response(content: bytes, *, number: str) -> HttpResponse:
    """It is called by its number, which names nobody."""
    return show_pdf(content, name=f"prescription-{number}.pdf")
