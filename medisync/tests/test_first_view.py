"""A cheap phone on a slow line: what the first view of a page transfers."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from accounts.models import User
from chat.tests.factories import chat_of, say
from connections.models import Connection
from medisync.staticfiles import HashedFiles
from medisync.tests.client import page_client

MOST_BYTES = 100_000
IMPORT = re.compile(r'(?:from|^import) "(\./[^"]+)";', re.MULTILINE)
LINKED = re.compile(r'<(?:link|script|img|source)\b[^>]*?(?:href|src)="/static/([^"]+)"')


def transferred(page: bytes) -> dict[str, int]:
    """By name, what the page and all that it links weigh on the way. The proxy packs pages with
    gzip; files are packed by brotli beforehand, which is smaller yet."""
    files = {name: packed(name) for name in LINKED.findall(page.decode())}
    return {"page": len(gzip.compress(page, 6)), **files}


def packed(name: str) -> int:
    content = Path(finders.find(name)).read_bytes()
    assert b"url(" not in content or not name.endswith(".css"), f"{name} fetches more"
    return len(gzip.compress(content, 6))


def imported(script: Path) -> Iterator[Path]:
    """All that it imports, on whichever way."""
    for name in IMPORT.findall(script.read_text()):
        module = (script.parent / name).resolve()
        yield module
        yield from imported(module)


@pytest.mark.django_db
class TestFirstView:
    def test_of_signing_in(self, client: Client) -> None:
        parts = transferred(client.get("/login").content)

        assert {"page", "css/base.css", "js/app.js"} <= parts.keys()
        assert sum(parts.values()) < MOST_BYTES, parts

    @pytest.mark.parametrize("language", ["en", "ar"])
    def test_of_both_homes_the_lists_and_a_chat(
        self, connection: Connection, language: str
    ) -> None:
        User.objects.update(language=language)
        connection.refresh_from_db()
        chat, people = chat_of(connection), (connection.patient, connection.doctor)
        for number in range(50):
            say(chat, people[number % 2], f"Message {number}: since yesterday it has hurt less.")

        for person in people:
            for path in ("/", "/chats", f"/chats/{chat.pk}"):
                parts = transferred(page_client(person).get(path).content)

                assert sum(parts.values()) < MOST_BYTES, (path, parts)

    def test_of_a_chat_names_all_that_its_script_imports(self, connection: Connection) -> None:
        """Else they are asked for one after another."""
        page = page_client(connection.patient).get(f"/chats/{chat_of(connection).pk}").content
        root = settings.BASE_DIR / "static"

        modules = {str(path.relative_to(root)) for path in imported(root / "js/chat.js")}

        assert len(modules) > 5
        assert modules <= transferred(page).keys()


def test_scripts_import_each_other_by_names_that_change_with_their_content(tmp_path: Path) -> None:
    """A browser keeps them for good, and must not run the new one with an old one."""
    shutil.copytree(settings.BASE_DIR / "static" / "js", tmp_path / "js")
    scripts = [str(path.relative_to(tmp_path)) for path in tmp_path.glob("js/**/*.js")]
    hashed = HashedFiles(location=tmp_path, base_url="/static/")

    list(hashed.post_process({name: (hashed, name) for name in scripts}))

    modules = {*imported(tmp_path / hashed.stored_name("js/chat.js"))}
    assert len(modules) > 5
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", module.name) for module in modules)
    assert all(module.is_file() for module in modules)
