"""A real SMTP server for tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medisync.devstack.mailbox import Mailbox
from medisync.devstack.smtp import start_mail_server


@pytest.fixture
def mailbox(tmp_path: Path, settings: Any) -> Iterator[Mailbox]:
    """Mail goes out over SMTP during the test, and is found in this mailbox."""
    box = Mailbox(tmp_path / "mail")
    server = start_mail_server(box)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = server.port

    yield box

    server.stop()
