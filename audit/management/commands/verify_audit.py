"""`manage.py verify_audit`: whether the access log is whole."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from audit.verification import Seal, Verification


def seal(text: str) -> Seal:
    """`12:0a1b…` as the number and digest of a seal."""
    number, _, digest = text.partition(":")
    if not number.isdecimal() or not digest:
        raise ArgumentTypeError("a seal is NUMBER:DIGEST, as the process's log has it")
    return Seal(int(number), digest.lower())


class Command(BaseCommand):
    help = (
        "Reads the whole access log, computes every hash again and names each row that was "
        "altered, is missing or out of place, and each seal that is broken. Writes nothing; the "
        "service goes on meanwhile. Exits with 1 if anything was found."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        either = parser.add_mutually_exclusive_group()
        either.add_argument("--patient", type=UUID, metavar="ID", help="this chain alone")
        either.add_argument(
            "--seal",
            type=seal,
            metavar="NUMBER:DIGEST",
            help="a seal as the log of the process, kept elsewhere, has it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verification = Verification(
            patient_id=options["patient"], known=options["seal"], progress=self._tell_progress
        )
        findings = 0
        for finding in verification.findings():
            findings += 1
            self.stdout.write(str(finding))
        summary = _summary(verification)
        if findings:
            raise CommandError(f"{findings} found wrong. Read: {summary}.")
        self.stdout.write(f"The access log is whole: {summary}.")

    def _tell_progress(self, events: int) -> None:
        self.stderr.write(f"{events:,} rows read")


def _summary(verification: Verification) -> str:
    told = f"{verification.events:,} rows of {verification.chains:,} patients"
    if verification.patient_id:
        return f"{told}, and no seals"
    last = verification.last_seal
    if not last.number:
        return f"{told}, and there is no seal yet"
    return f"{told}, and {verification.seals:,} seals, the last {last.number}:{last.digest}"
