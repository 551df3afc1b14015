"""An SMTP server that keeps every message in a mailbox and sends none."""

from __future__ import annotations

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from medisync.devstack.mailbox import Mailbox
from medisync.devstack.services import free_port


class _Keep:
    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        self.mailbox.keep(content if isinstance(content, bytes) else b"", envelope.rcpt_tos)
        return "250 Kept"


def start_mail_server(mailbox: Mailbox) -> Controller:
    """Listens on a free local port, in a thread of this process, until `stop()`."""
    mailbox.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = Controller(_Keep(mailbox), hostname="127.0.0.1", port=free_port())
    server.start()
    return server
