"""Model fields shared by the apps."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from common import crypto


class EncryptedTextField(models.TextField[str, str]):
    """Text that is encrypted in the database and plain in Python.

    `purpose` is authenticated with the value; it is a declared string, not the model's label,
    so that renaming a model does not lock its data away. It cannot be searched: keep a
    `crypto.blind_index` beside it where that is needed.
    """

    def __init__(self, *args: Any, purpose: str, **kwargs: Any) -> None:
        self.purpose = purpose
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"purpose": self.purpose}

    def get_prep_value(self, value: str | None) -> str | None:
        return None if value is None else crypto.seal(value, purpose=self.purpose)

    def from_db_value(
        self, value: str | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> str | None:
        return None if value is None else crypto.unseal(value, purpose=self.purpose)
