"""Compiles `locale/**/*.po` to `.mo`; needs no gettext on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import polib
from django.conf import settings
from django.core.management.base import BaseCommand


def compile_catalogues(directory: Path) -> Iterator[Path]:
    """Writes every catalogue that is newer than its compiled form, and yields it."""
    for source in sorted(directory.glob("*/LC_MESSAGES/*.po")):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime_ns < source.stat().st_mtime_ns:
            draft = source.with_suffix(".mo.new")
            polib.pofile(str(source), check_for_duplicates=True).save_as_mofile(str(draft))
            draft.replace(compiled)
            yield compiled


class Command(BaseCommand):
    help = "Compiles the translation catalogues that have changed."
    requires_system_checks: ClassVar[list[str]] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for directory in settings.LOCALE_PATHS:
            for compiled in compile_catalogues(Path(directory)):
                self.stdout.write(f"Compiled {compiled}")
