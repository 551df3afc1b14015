from __future__ import annotations

import importlib

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """drf-spectacular finds its extensions by their being imported."""
        importlib.import_module("accounts.schema")
