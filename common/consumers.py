"""The socket's ground floor: JSON frames in, JSON frames out, and errors that do not kill it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils.translation import gettext_lazy as _

from common.errors import DomainError
from common.renderers import dumps

MAX_FRAME_BYTES = 64 * 1024
MAX_ERRORS = 50
MAX_REF = 100
CLOSE_TOO_BIG = 1009
CLOSE_TOO_MANY_ERRORS = 4429

Handler = Callable[[Any, dict[str, Any]], Awaitable[None]]


class FrameError(DomainError):
    """A frame that cannot be understood."""

    code = "invalid_frame"
    detail = _("The frame is not a JSON object with a known type.")


class FrameConsumer(AsyncWebsocketConsumer):
    """Hands each frame `{"type": …, "ref"?: …}` to the handler of its type.

    Answers echo `ref`. A frame that is refused is answered by an error frame and the socket
    lives on; an oversized one, or the fiftieth error, closes it.
    """

    handlers: ClassVar[dict[str, Handler]] = {}
    error_count = 0

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
            await handler(self, frame)
        except DomainError as error:
            await self._refuse(error, ref)

    def _ref(self, frame: dict[str, Any]) -> str | int | None:
        ref = frame.get("ref")
        if ref is None or type(ref) is int or (isinstance(ref, str) and len(ref) <= MAX_REF):
            return ref
        raise FrameError

    async def _parsed(self, text: str | None, binary: bytes | None) -> dict[str, Any] | None:
        raw = (text or "").encode() if binary is None else binary
        if len(raw) > MAX_FRAME_BYTES:
            await self.close(CLOSE_TOO_BIG)
            return None
        try:
            frame = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise FrameError from error
        if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
            raise FrameError
        return frame

    async def _refuse(self, error: DomainError, ref: Any) -> None:
        self.error_count += 1
        frame = {"type": "error", "code": error.code, "detail": str(error.detail)}
        await self.send_frame(frame, ref=ref)
        if self.error_count >= MAX_ERRORS:
            await self.close(CLOSE_TOO_MANY_ERRORS)

    async def send_frame(self, frame: dict[str, Any], *, ref: Any = None) -> None:
        answer = frame if ref is None else frame | {"ref": ref}
        await self.send(text_data=dumps(answer).decode())

    async def forward(self, event: dict[str, Any]) -> None:
        """What `common.live.announce` sent to a group this socket is in."""
        await self.send_frame(event["frame"])
