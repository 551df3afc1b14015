"""`manage.py rotate_keys`: every encrypted value sealed again with the first key."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.rotation import Column, encrypted_columns, rotate


class Command(BaseCommand):
    help = (
        "Seals every encrypted value again with the first of FIELD_ENCRYPTION_KEYS, while the "
        "service runs. Can be interrupted and begun again. Fails while any value is left that is "
        "sealed with another key; only after it has succeeded may the old key be taken out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch-size", type=int, default=500, metavar="N", help="default: 500")
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        batch_size: int = options["batch_size"]
        if batch_size < 1:
            raise CommandError("--batch-size must be at least 1.")
        columns = encrypted_columns()
        for column in columns:
            self._tell(f"{column}: {column.left()} to do")
        if options["dry_run"]:
            return
        for column in columns:
            self._rotate(column, batch_size)
        self._verify(columns)

    def _rotate(self, column: Column, batch_size: int) -> None:
        for _batch in rotate(column, batch_size=batch_size):
            self._tell(f"{column}: {column.changed} done")
        if column.overtaken:
            self._tell(f"{column}: {column.overtaken} written by somebody else meanwhile")

    def _verify(self, columns: list[Column]) -> None:
        """What counts is what the tables hold now, not what was done."""
        left = [(column, count) for column in columns if (count := column.left())]
        for column, _count in left:
            for key in column.unreadable:
                self._tell(f"{column} {key}: cannot be decrypted, left as it is")
        if left:
            told = ", ".join(f"{column}: {count}" for column, count in left)
            raise CommandError(f"Values are left that another key sealed ({told}). Keep that key.")
        self._tell("Every value is sealed with the first key.")

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
