"""Files on their way in and out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase

Sent = TypeVar("Sent", bound=HttpResponseBase)


@contextmanager
def atomic_with_files(*names: str) -> Iterator[None]:
    """A transaction that also stores files of these names. A storage knows no rollback: whatever
    undoes the rows, the commit itself included, takes the files with it."""
    try:
        with transaction.atomic():
            yield
    except BaseException:
        for name in names:
            default_storage.delete(name)
        raise


def download(file: FieldFile, *, name: str) -> FileResponse:
    """A stored file to be saved under that name, block by block, and kept by nobody on the
    way."""
    return _sent(FileResponse(file.open("rb"), as_attachment=True, filename=name))


def show(file: FieldFile, *, name: str) -> FileResponse:
    """A stored file to be looked at in the page, as what its name says that it is."""
    return _sent(FileResponse(file.open("rb"), filename=name))


def show_pdf(content: bytes, *, name: str) -> HttpResponse:
    """A sheet made for this answer, to be shown in the browser."""
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return _sent(response)


def download_png(content: bytes, *, name: str) -> HttpResponse:
    """A picture made for this answer, to be saved."""
    response = HttpResponse(content, content_type="image/png")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return _sent(response)


def _sent(response: Sent) -> Sent:
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
