"""What a fresh or updated data directory needs before the programs start.

Run as `python -m medisync.devstack.prepare [--no-demo]` in the devstack's environment. Prints
the accounts one can sign in with, one a line.
"""

from __future__ import annotations

import sys

import django
from django.contrib.auth import get_user_model
from django.core.management import call_command


def prepare(*, demo: bool) -> None:
    """Compiles translations, migrates, and fills a database that has no user with demo data."""
    call_command("compile_translations", stdout=sys.stderr)
    call_command("migrate", verbosity=0, interactive=False)
    if demo and not get_user_model().objects.exists():
        print("Making demo data, once.", file=sys.stderr, flush=True)
        call_command("demo", stdout=sys.stderr)


if __name__ == "__main__":
    django.setup()
    prepare(demo="--no-demo" not in sys.argv)
