"""The project as a Django app: it holds the commands and the checks."""

from __future__ import annotations

import importlib

from django.apps import AppConfig, apps
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig


class MedisyncConfig(AppConfig):
    name = "medisync"

    def ready(self) -> None:
        importlib.import_module("medisync.checks")


class MedisyncAdminConfig(AdminConfig):
    """Django's admin on our own site (`admin.py`)."""

    default_site = "medisync.admin.MedisyncAdminSite"

    def ready(self) -> None:
        super().ready()
        # django.contrib.auth offers its groups; rights come from roles alone.
        admin.site.unregister(apps.get_model("auth", "Group"))
