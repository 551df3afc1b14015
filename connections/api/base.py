"""What the views of the circle of care share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from common.errors import InvalidInput
from connections.serializers.grants import SharingSerializer


@contextmanager
def naming_share() -> Iterator[None]:
    """A refusal of what is shared names the field where this body has it, under `share`."""
    try:
        yield
    except InvalidInput as error:
        if error.attr in SharingSerializer().fields:
            error.attr = f"share.{error.attr}"
        raise
