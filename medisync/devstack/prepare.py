"""What a fresh or updated data directory needs before the programs start.

Run as `python -m medisync.devstack.prepare [--no-demo]` in the devstack's environment. Ends with
`HAS_DEMO` when one can sign in with the demo accounts, else with 0.
"""

from __future__ import annotations

import io
import sys

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

from medisync.demo import DEMO_ACCOUNTS
from medisync.devstack import HAS_DEMO


def prepare(*, demo: bool) -> int:
    """Compiles translations, migrates, and fills a database that has no user with demo data."""
    call_command("compile_translations")
    call_command("migrate", verbosity=0, interactive=False)
    users = get_user_model().objects.all()
    if demo and settings.DEBUG and not users.exists():
        print("Making demo data, once.", flush=True)
        call_command("demo", stdout=io.StringIO())
    return HAS_DEMO if users.filter(email=DEMO_ACCOUNTS[0].email).exists() else 0


if __name__ == "__main__":
    django.setup()
    sys.exit(prepare(demo="--no-demo" not in sys.argv))
