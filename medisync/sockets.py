"""The one socket of a client, at `/ws`; apps that speak on it add their frames here."""

from __future__ import annotations

from typing import Any, ClassVar

from channels.routing import URLRouter
from django.core.exceptions import DisallowedHost
from django.urls import path

from accounts.models import DeviceSession
from accounts.sockets import PROTOCOL, session_of_socket
from common.consumers import FrameConsumer, Handler
from common.live import session_group, user_group

CLOSE_NOT_SIGNED_IN = 4401
CLOSE_REVOKED = 4403


class ClientSocket(FrameConsumer):
    """Delivers what its user is told, until its session ends."""

    session: DeviceSession | None = None
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
        await self._close_if_revoked_meanwhile()

    async def disconnect(self, code: int) -> None:
        for group in self.groups_joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def forward(self, event: dict[str, Any]) -> None:
        await super().forward(event)
        if event["frame"]["type"] == "access.revoked":
            await self.close(CLOSE_REVOKED)

    async def _close_if_revoked_meanwhile(self) -> None:
        """A session that ended between the check and the joining got no announcement."""
        if await session_of_socket(self.scope) is None:
            await self.close(CLOSE_REVOKED)

    async def ping(self, frame: dict[str, Any]) -> None:
        await self.send_frame({"type": "pong"}, ref=frame.get("ref"))

    handlers: ClassVar[dict[str, Handler]] = {"ping": ping}


application = URLRouter([path("ws", ClientSocket.as_asgi())])
