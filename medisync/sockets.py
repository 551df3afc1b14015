"""The one socket of a client, at `/ws`; apps that speak on it add their frames here."""

from __future__ import annotations

import math
import time
from typing import Any, ClassVar

from channels.routing import URLRouter
from django.core.exceptions import DisallowedHost
from django.urls import path, re_path

from accounts.models import DeviceSession
from accounts.sockets import PROTOCOL, is_live, session_of_socket
from common.consumers import FrameConsumer, Handler
from common.live import session_group, user_group

RECHECK_SECONDS = 30
CLOSE_NOT_SIGNED_IN = 4401
CLOSE_REVOKED = 4403
CLOSE_NOT_HERE = 4404


class ClientSocket(FrameConsumer):
    """Delivers what its user is told, until its session ends."""

    session: DeviceSession | None = None
    checked_at = -math.inf  # not yet
    groups_joined: tuple[str, ...] = ()

    async def connect(self) -> None:
        try:
            self.session = await session_of_socket(self.scope)
        except DisallowedHost:
            self.session = None
        await self.accept(PROTOCOL if PROTOCOL in self.scope["subprotocols"] else None)
        if self.session is None:
            await self.close(CLOSE_NOT_SIGNED_IN)
            return
        self.groups_joined = (user_group(self.session.user_id), session_group(self.session.pk))
        for group in self.groups_joined:
            await self.channel_layer.group_add(group, self.channel_name)
        # One that ended between the first look and the joining got no announcement.
        await self._session_stands()

    async def disconnect(self, code: int) -> None:
        for group in self.groups_joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if await self._session_stands():
            await super().receive(text_data, bytes_data)

    async def forward(self, event: dict[str, Any]) -> None:
        if not await self._session_stands():
            return
        await super().forward(event)
        if event["frame"]["type"] == "access.revoked":
            await self.close(CLOSE_REVOKED)

    async def _session_stands(self) -> bool:
        """Whether the session still lives. An ended one is announced to its socket, but an
        announcement can be lost with Redis; so before anything passes, it is asked again
        where that was longer ago than half a minute."""
        if time.monotonic() < self.checked_at + RECHECK_SECONDS:
            return True
        if self.session is None or not await is_live(self.session.pk):
            await self.close(CLOSE_REVOKED)
            return False
        self.checked_at = time.monotonic()
        return True

    async def ping(self, frame: dict[str, Any]) -> None:
        await self.send_frame({"type": "pong"}, ref=frame.get("ref"))

    handlers: ClassVar[dict[str, Handler]] = {"ping": ping}


async def no_socket_here(scope: Any, receive: Any, send: Any) -> None:
    """Any other address."""
    await receive()
    await send({"type": "websocket.close", "code": CLOSE_NOT_HERE})


application = URLRouter([path("ws", ClientSocket.as_asgi()), re_path("", no_socket_here)])  # type: ignore[arg-type]
