"""The socket's ground floor: JSON frames in, JSON frames out, and errors that do not kill it."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar
from uuid import UUID

import orjson
from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.http import Http404
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from common import close_codes
from common.errors import DomainError
from common.renderers import dumps
from common.threads import DATABASE_AWAY
from common.throttling import TooManyRequests

logger = logging.getLogger(__name__)

MAX_FRAME_BYTES = 64 * 1024
MAX_ERRORS = 50
MAX_REF = 100
# How many frames a client may send at once, and how many a second thereafter.
BURST = 100
FRAMES_A_SECOND = 20

Handler = Callable[[Any, dict[str, Any]], Awaitable[None]]


class FrameError(DomainError):
    """A frame that cannot be understood."""

    code = "invalid_frame"
    detail = _("The frame is not a JSON object with a known type.")


def uuid_in(frame: dict[str, Any], name: str) -> UUID:
    value = frame.get(name)
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise FrameError(attr=name) from error


class NothingHere(DomainError):
    """As a 404: there is none, or it is not for this user to know of."""

    code = "not_found"
    detail = _("There is nothing here.")
    status_code = 404


class Unavailable(DomainError):
    code = "unavailable"
    detail = _("The service is not available just now.")
    status_code = 503
    retry_after = 1


class FrameConsumer(AsyncWebsocketConsumer):
    """Hands each frame `{"type": …, "ref"?: …}` to the handler of its type.

    Answers echo `ref`. A frame that is refused is answered by an error frame and the socket
    lives on; an oversized one, or the fiftieth error, closes it. Frames and announcements are
    handled one after another, so what a handler knows of its socket needs no lock.
    """

    handlers: ClassVar[dict[str, Handler]] = {}
    error_count = 0
    is_closed = False
    language: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allowance = Allowance(BURST, FRAMES_A_SECOND)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.base_send = scope, send
        self.channel_layer = get_channel_layer()
        self.channel_name = await self.channel_layer.new_channel()
        try:
            await self._live(receive)
        except StopConsumer:
            pass
        finally:
            self.channel_layer.release(self.channel_name)
            await self.gone()

    async def _live(self, receive: Any) -> None:
        """One thing after another, and all that was announced before the next frame: however
        much a client asks, what it hears does not pile up behind it."""
        reading = asyncio.ensure_future(receive())
        hearing = asyncio.ensure_future(self.channel_layer.receive(self.channel_name))
        try:
            while True:
                await asyncio.wait([reading, hearing], return_when=asyncio.FIRST_COMPLETED)
                if hearing.done():
                    await self.dispatch(hearing.result())
                    for event in self.channel_layer.waiting(self.channel_name):
                        await self.dispatch(event)
                    hearing = asyncio.ensure_future(self.channel_layer.receive(self.channel_name))
                if reading.done():
                    await self.dispatch(reading.result())
                    reading = asyncio.ensure_future(receive())
        finally:
            for task in (reading, hearing):
                task.cancel()
            await asyncio.gather(reading, hearing, return_exceptions=True)

    async def gone(self) -> None:
        """The socket has ended, however it did."""

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels has it, without a trip to a thread before each event. Where the database
        is away, the client is sent away as well, and comes back."""
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        try:
            await handler(message)
        except DATABASE_AWAY as error:
            logger.warning("The database is away: %s", type(error).__name__)
            await self.close(close_codes.TRY_LATER)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        ref: Any = None
        try:
            frame = await self._parsed(text_data, bytes_data)
            if frame is None:
                return
            ref = self._ref(frame)
            handler = self.handlers.get(frame["type"])
            if handler is None:
                raise FrameError
            self.allowance.take()
            await handler(self, frame)
        except DomainError as error:
            await self._refuse(error, ref)
        except Http404:
            await self._refuse(NothingHere(), ref)
        except DATABASE_AWAY:
            await self._refuse(Unavailable(), ref)

    def _ref(self, frame: dict[str, Any]) -> str | int | None:
        ref = frame.get("ref")
        if ref is None or type(ref) is int or (isinstance(ref, str) and len(ref) <= MAX_REF):
            return ref
        raise FrameError

    async def _parsed(self, text: str | None, binary: bytes | None) -> dict[str, Any] | None:
        raw = (text or "").encode() if binary is None else binary
        if len(raw) > MAX_FRAME_BYTES:
            await self.close(close_codes.TOO_BIG)
            return None
        try:
            frame = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise FrameError from error
        if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
            raise FrameError
        return frame

    async def _refuse(self, error: DomainError, ref: Any) -> None:
        with translation.override(self.language):
            frame = {"type": "error", "code": error.code, "detail": str(error.detail)}
        if error.attr:
            frame["attr"] = error.attr
        retry_after = getattr(error, "retry_after", None)
        if retry_after is not None:
            frame["retry_after"] = retry_after
        await self.send_frame(frame, ref=ref)
        # That we are not available is no fault of the client.
        self.error_count += not isinstance(error, Unavailable)
        if self.error_count >= MAX_ERRORS:
            await self.close(close_codes.TOO_MANY_ERRORS)

    async def send_frame(self, frame: dict[str, Any], *, ref: Any = None) -> None:
        answer = frame if ref is None else frame | {"ref": ref}
        await self._say(dumps(answer).decode())

    async def _say(self, text: str) -> None:
        if not self.is_closed:
            await self.base_send({"type": "websocket.send", "text": text})

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Once."""
        if not self.is_closed:
            self.is_closed = True
            await super().close(code, reason)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        await self.disconnect(message["code"])
        raise StopConsumer

    async def forward(self, event: dict[str, Any]) -> None:
        """What `common.live.announce` sent to a group this socket is in."""
        await self.pass_on(event)

    async def pass_on(self, event: dict[str, Any]) -> None:
        """All sockets of a process share an event, so the first of them writes it out."""
        text = event.get("text")
        if text is None:
            text = event["text"] = dumps(event["frame"]).decode()
        await self._say(text)

    async def fell_behind(self, event: dict[str, Any]) -> None:
        """More waited for this client than may."""
        await self.close(close_codes.FELL_BEHIND)

    async def look_again(self, event: dict[str, Any]) -> None:
        """Announcements may have been lost."""


class Allowance:
    """A bucket of tokens: `burst` at once, and `rate` more each second."""

    def __init__(self, burst: float, rate: float) -> None:
        self.burst, self.rate = burst, rate
        self.left, self.at = burst, time.monotonic()

    def take(self) -> None:
        now = time.monotonic()
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            raise TooManyRequests(max(1, math.ceil((1 - self.left) / self.rate)))
        self.left -= 1
