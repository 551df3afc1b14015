"""Every sentence has its Arabic."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.core.management import call_command

CATALOGUE = settings.BASE_DIR / "locale" / "ar" / "LC_MESSAGES" / "django.po"


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> polib.POFile:
    """What `make messages` finds in the sources today, collected beside them."""
    assert shutil.which("xgettext"), "Needs gettext; on Debian: apt-get install gettext"
    copy = tmp_path_factory.mktemp("sources") / "medisync"
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in tracked:
        if name.endswith((".py", ".html", ".txt")) and "/tests/" not in name:
            if not (settings.BASE_DIR / name).exists():
                continue
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(settings.BASE_DIR / name, copy / name)
    (copy / "locale" / "ar" / "LC_MESSAGES").mkdir(parents=True)
    before = Path.cwd()
    os.chdir(copy)
    try:
        call_command("makemessages", locale=["ar"], verbosity=0, no_obsolete=True)
    finally:
        os.chdir(before)
    return polib.pofile(str(copy / "locale" / "ar" / "LC_MESSAGES" / "django.po"))


def key(entry: polib.POEntry) -> tuple[str | None, str]:
    return (entry.msgctxt, entry.msgid)


def test_every_sentence_is_in_the_catalogue(collected: polib.POFile) -> None:
    known = {key(entry) for entry in polib.pofile(str(CATALOGUE))}

    missing = [entry.msgid for entry in collected if key(entry) not in known]

    assert missing == []


def test_nothing_in_the_catalogue_is_untranslated_or_doubtful() -> None:
    catalogue = polib.pofile(str(CATALOGUE))

    unfinished = catalogue.untranslated_entries() + catalogue.fuzzy_entries()

    assert [entry.msgid for entry in unfinished] == []


def test_translations_keep_their_placeholders() -> None:
    catalogue = polib.pofile(str(CATALOGUE))

    broken = [
        entry.msgid
        for entry in catalogue
        if not entry.msgid_plural and placeholders(entry.msgid) != placeholders(entry.msgstr)
    ]

    assert broken == []


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)", text))
