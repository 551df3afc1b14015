"""`manage.py devstack`, as `manage.py help` lists it.

`manage.py` itself runs `medisync.devstack` before Django is set up, so that it needs no
environment; this command is reached by `django-admin` alone.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, ClassVar

from django.core.management.base import BaseCommand

from medisync.devstack import __main__ as devstack


class Command(BaseCommand):
    help = "Runs MediSync with real services of its own until Ctrl-C."
    requires_system_checks: ClassVar[list[str]] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return devstack.parser()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """All of them are the devstack's own."""

    def run_from_argv(self, argv: list[str]) -> None:
        sys.exit(devstack.main(argv[2:]))
