"""The ASGI application: sockets on the event loop, HTTP requests on a fixed pool of threads.

Django's handlers, views and database are synchronous. Each request is therefore handed whole to
the WSGI handler, in one hop, on one of two threads that keep their database connections.
Measured against Django's own ASGI handler this serves about ten times the requests, because
that one changes threads many times for each.

A thread is never lent to the network: the request is read before a thread is taken, and between
two blocks of a long response none is held. So two threads are enough, and slow clients block
nobody.
"""

from __future__ import annotations

import asyncio
import contextvars
import re
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from channels.routing import ProtocolTypeRouter

# isort: split
# The WSGI module sets Django up, which the other two need.
from medisync.wsgi import application as wsgi_application

# isort: split

from common.middleware import MULTIPART_MAX_BYTES
from medisync.sockets import application as sockets

THREADS = 2
# What of a request body is held in memory, and how much of a response is handed over at once.
BLOCK_BYTES = 64 * 1024

CHARSET = re.compile(r";\s*charset\s*=[^;]*", re.IGNORECASE)

Headers = list[tuple[bytes, bytes]]
Step = Callable[[], tuple[bytes, bool]]


class Exchange:
    """One request and its response; every method runs on a thread of the pool."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self.status = 500
        self.headers: Headers = []
        self.response: Any = None
        self.written: list[bytes] = []
        self.blocks: Iterable[bytes] = iter(())

    def begin(self) -> tuple[bytes, bool]:
        """Runs the request; returns the first block of the response and whether more follow."""
        self.response = wsgi_application(self.environ, self._start_response)
        if self.environ["REQUEST_METHOD"] != "HEAD":
            self.blocks = chain(self.written, self.response)
        return self.next_block()

    def next_block(self) -> tuple[bytes, bool]:
        parts, size = [], 0
        for part in self.blocks:
            parts.append(part)
            size += len(part)
            if size >= BLOCK_BYTES:
                return b"".join(parts), True
        self.close()
        return b"".join(parts), False

    def close(self) -> None:
        """Ends the response, once; this is also where Django ends the request."""
        response, self.response = self.response, None
        if response is not None:
            response.close()

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        self.status = int(status.split(" ", 1)[0])
        self.headers = [
            (name.lower().encode(), value.strip().encode("latin-1")) for name, value in headers
        ]
        return self.written.append


class HTTPOnThreads:
    """Serves HTTP scopes through the WSGI application."""

    def __init__(self, threads: int) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="http")

    async def __call__(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        with SpooledTemporaryFile(max_size=BLOCK_BYTES) as body:
            length = await read_body(scope, receive, body)
            if length is not None:
                await self._exchange(Exchange(wsgi_environ(scope, body, length)), receive, send)

    async def _exchange(
        self, exchange: Exchange, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        context = contextvars.copy_context()
        client_left: asyncio.Future[Any] | None = None
        try:
            block, more = await self._on_thread(context, exchange.begin)
            await send(
                {
                    "type": "http.response.start",
                    "status": exchange.status,
                    "headers": exchange.headers,
                    "trailers": False,
                }
            )
            await send({"type": "http.response.body", "body": block, "more_body": more})
            if more:
                client_left = asyncio.ensure_future(receive())
            while more and client_left and not client_left.done():
                block, more = await self._on_thread(context, exchange.next_block)
                await send({"type": "http.response.body", "body": block, "more_body": more})
        finally:
            if client_left:
                client_left.cancel()
            if exchange.response is not None:
                self.pool.submit(context.run, exchange.close)

    async def _on_thread(self, context: contextvars.Context, step: Step) -> tuple[bytes, bool]:
        """Takes a step. A thread cannot be stopped: when cancelled, it is waited for."""
        future = asyncio.get_running_loop().run_in_executor(self.pool, context.run, step)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    async def lifespan(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Lets the requests in progress finish before the process ends."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.pool.shutdown()
        await send({"type": "lifespan.shutdown.complete"})


async def read_body(scope: HTTPScope, receive: ASGIReceiveCallable, body: IO[bytes]) -> int | None:
    """Spools the request body and returns its length; None if the client left meanwhile.

    A body over the limit is not read to its end: its length alone makes Django refuse it.
    """
    declared = dict(scope["headers"]).get(b"content-length", b"")
    length = int(declared) if declared.isdigit() else 0
    if length > MULTIPART_MAX_BYTES:
        return length
    length, more = 0, True
    while more and length <= MULTIPART_MAX_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            return None
        length += len(message.get("body", b""))
        body.write(message.get("body", b""))
        more = message.get("more_body", False)
    body.seek(0)
    return length


def wsgi_environ(scope: HTTPScope, body: IO[bytes], length: int) -> dict[str, Any]:
    """The request as PEP 3333 has it. `CONTENT_LENGTH` is what was counted, not what was said."""
    server, client = scope.get("server"), scope.get("client")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0] if server else "localhost",
        "SERVER_PORT": str(server[1] if server else 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0] if client else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        # A name with an underscore would pass for one with a hyphen.
        if b"_" not in name:
            _add_header(environ, name.decode("latin-1"), value.decode("latin-1"))
    environ["CONTENT_LENGTH"] = str(length) if length else ""
    return environ


def _add_header(environ: dict[str, Any], name: str, value: str) -> None:
    key = name.upper().replace("-", "_")
    if key == "CONTENT_TYPE":
        # Everything is UTF-8 here; Django would decode the whole request by what this says.
        value = CHARSET.sub("", value)
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = f"HTTP_{key}"
    separator = "; " if key == "HTTP_COOKIE" else ","
    environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value


http = HTTPOnThreads(THREADS)
application = ProtocolTypeRouter({"http": http, "websocket": sockets, "lifespan": http.lifespan})
