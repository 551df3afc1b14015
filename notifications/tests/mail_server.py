"""An SMTP server as a program of its own, to be killed: `python -m … DIRECTORY PORT`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from aiosmtpd.controller import Controller

from medisync.devstack.mailbox import Mailbox
from medisync.devstack.smtp import _Keep

if __name__ == "__main__":
    Controller(
        _Keep(Mailbox(Path(sys.argv[1]))), hostname="127.0.0.1", port=int(sys.argv[2])
    ).start()
    signal.pause()
