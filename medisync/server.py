"""The web server: `python -m medisync.server`.

It is uvicorn, in as many processes as `WEB_CONCURRENCY` says, with two things of its own. Before
it ends, each socket is told when to come back. And a client that reads nothing is dropped: what
is written to it waits in memory, and a connection that is closed waits for that, for ever.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any, cast

import uvicorn
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

from common import close_codes

APPLICATION = "medisync.asgi:application"
# As in `common.consumers`, which cannot be imported before Django is set up.
MAX_FRAME_BYTES = 64 * 1024
# How long a socket may take over what it was asked before the server began to end.
HANDOVER_SECONDS = 2.0
# How long a client may read nothing while something waits for it, and then to read the reason.
SEND_SECONDS = 10.0
ABORT_SECONDS = 5.0


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's end of a socket."""

    is_refused = False

    def shutdown(self) -> None:
        """The server ends. The application says good-bye, after what it is just doing."""
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
            return
        event: Any = {"type": "server.closing", "sockets": len(self.connections)}
        self.queue.put_nowait(event)
        self.loop.call_later(HANDOVER_SECONDS, self._end)

    def _end(self) -> None:
        if not self.disconnected:
            super().shutdown()
            self.loop.call_later(ABORT_SECONDS, self.transport.abort)

    async def send(self, message: Any) -> None:
        if not self.writable.is_set() and not await self._is_read():
            self._drop()
            raise ClientDisconnected
        await super().send(message)

    async def _is_read(self) -> bool:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.writable.wait()
        except TimeoutError:
            return False
        return True

    def _drop(self) -> None:
        """With a reason, should the client read again, and in any case soon."""
        self.stop_keepalive()
        try:
            self.conn.send_close(close_codes.FELL_BEHIND)
            self.transport.write(b"".join(self.conn.data_to_send()))
        except InvalidState:
            pass
        self.close_sent = True
        self.loop.call_later(ABORT_SECONDS, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        if not self.is_refused:
            super().data_received(data)

    def handle_parser_exception(self) -> None:
        """A frame that is too large, or none at all. What else comes is taken off the line and
        forgotten: a connection that is closed over unread bytes is reset, and the client would
        not read why."""
        closing = self.conn.close_sent
        assert closing is not None  # noqa: S101 - as uvicorn has it, for the type
        gone = {"type": "websocket.disconnect", "code": closing.code, "reason": closing.reason}
        self.queue.put_nowait(cast(Any, gone))
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = self.is_refused = True
        self.close_timer = self.loop.call_later(ABORT_SECONDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(self.close_timeout + ABORT_SECONDS, self.transport.abort)


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m medisync.server")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=8000)
    options.add_argument(
        "--grace",
        type=int,
        default=20,
        metavar="SECONDS",
        help="for requests in progress at the end",
    )
    return options


def main(arguments: list[str]) -> None:
    options = parser().parse_args(arguments)
    uvicorn.run(
        APPLICATION,
        host=options.host,
        port=options.port,
        ws="medisync.server:SocketProtocol",
        ws_max_size=MAX_FRAME_BYTES,
        # Messages are short, and a compressor for each socket is as large as the rest of it.
        ws_per_message_deflate=False,
        # The client's address and scheme are Django's business (TRUSTED_PROXY_COUNT).
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=options.grace,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
