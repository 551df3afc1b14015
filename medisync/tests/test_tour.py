"""`docs/tour.sh` ends well on a stack that one command has just made from nothing."""

import contextlib
import os
import shutil
import subprocess
import sys
import time

import pytest

from medisync.devstack import environment
from medisync.tests.ports import quiet_port

BARE = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
# No promise, but what ends a test that would fail: a busy machine needs a while.
START_SECONDS = 180


@pytest.fixture
def address(tmp_path):
    """Where a new devstack with its demonstration serves."""
    assert shutil.which("curl"), "Needs curl; on Debian: apt-get install curl"
    port, log = quiet_port(), tmp_path / "log"
    with log.open("wb") as output:
        stack = subprocess.Popen(
            [sys.executable, "manage.py", "devstack", "--port", str(port), "--local", tmp_path],
            cwd=environment.BASE_DIR,
            env=BARE,
            stdout=output,
            stderr=output,
        )
    deadline = time.monotonic() + START_SECONDS
    while b"MediSync is ready" not in log.read_bytes():
        assert stack.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)

    yield f"http://127.0.0.1:{port}"

    stack.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        stack.wait(30)


def test_tour_ends_with_authentic(address):
    tour = subprocess.run(
        ["sh", "docs/tour.sh", address],
        cwd=environment.BASE_DIR,
        env=BARE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (tour.returncode, tour.stderr) == (0, "")
    assert tour.stdout.splitlines()[-1] == "authentic"


def test_tour_without_a_stack_says_what_to_do():
    tour = subprocess.run(
        ["sh", "docs/tour.sh", f"http://127.0.0.1:{quiet_port()}"],
        cwd=environment.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert tour.returncode == 1
    assert "make run" in tour.stderr
