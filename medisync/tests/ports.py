"""Ports for programs that listen a while after their port was chosen, or not at all."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle

# The system gives those from 32768 on to whoever connects, or asks for any.
FIRST, EACH, WORKERS = 20_000, 1_000, 12


def _ports_of_this_process() -> Iterator[int]:
    """Parallel workers have a thousand each, so that none takes what another has just chosen."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    begin = os.getpid() % EACH
    return cycle(FIRST + worker * EACH + (begin + number) % EACH for number in range(EACH))


_ports = _ports_of_this_process()


def quiet_port() -> int:
    """One on which nobody listens, and that is given to nobody else meanwhile."""
    while True:
        port = next(_ports)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
