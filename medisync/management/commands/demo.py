"""`manage.py demo`: the demonstration clinic, or thousands of them for a load test."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from common.clock import clinic_date
from medisync.demo import DEMO_ACCOUNTS
from medisync.demo.history import PRESCRIPTIONS
from medisync.demo.people import MOST_CLINICS
from medisync.demo.world import SpecializationsMissing, make_clinics

REPORT_EVERY = 100


class Command(BaseCommand):
    help = (
        "Fills an empty database with a demonstration: 6 doctors, 40 patients, an administrator, "
        f"and a year in which {PRESCRIPTIONS} prescriptions were issued. The same seed and day "
        "make the same rows; only ciphertexts differ, for they never repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scale",
            type=int,
            metavar="N",
            help=(
                "make clinics 1 to N, leaving out those that are there, also in a database with "
                f"users; {1_000_000 // PRESCRIPTIONS} clinics have a million prescriptions "
                f"(at most {MOST_CLINICS})"
            ),
        )
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="default: 1")
        parser.add_argument(
            "--until",
            type=dt.date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="the day before which the year ends (default: today)",
        )
        parser.add_argument(
            "--publish-passwords",
            action="store_true",
            help=(
                "run although DEBUG is off: whoever reads the manual can then sign in to this "
                "server, as its administrator too"
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        scale: int | None = options["scale"]
        _refuse_unless_safe(scale, publish_passwords=options["publish_passwords"])
        last_day: dt.date = options["until"] or clinic_date()
        if last_day > clinic_date():
            raise CommandError("--until lies ahead: the demonstration's year has happened.")
        midnight = dt.datetime.combine(last_day, dt.time(), timezone.get_default_timezone())
        end = midnight.astimezone(dt.UTC)
        try:
            for number in make_clinics(scale=scale or 1, seed=options["seed"], end=end):
                if number % REPORT_EVERY == 0:
                    self.stdout.write(f"{number} clinics, {number * PRESCRIPTIONS} prescriptions")
        except SpecializationsMissing as error:
            raise CommandError(
                f"These specialties are missing: {error}. Load them with `manage.py migrate`."
            ) from error
        for account in DEMO_ACCOUNTS:
            self.stdout.write(
                f"{account.role:<8} {account.email:<30} {account.password}  ({account.note})"
            )


def _refuse_unless_safe(scale: int | None, *, publish_passwords: bool) -> None:
    if not (settings.DEBUG or publish_passwords):
        raise CommandError(
            "Everybody knows the demonstration's passwords, its administrator's too, and DEBUG is "
            "off, so this may be a server that people use. If it is not, add --publish-passwords."
        )
    if scale is None and User.objects.exists():
        raise CommandError(
            "This database has users already, and the demonstration belongs in an empty one. To "
            "add clinics to it for a load test, say how many with --scale."
        )
    if scale is not None and not 1 <= scale <= MOST_CLINICS:
        raise CommandError(f"--scale is a number from 1 to {MOST_CLINICS}.")
