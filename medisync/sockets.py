"""The one socket of a client, at `/ws`; apps that speak on it add their frames here."""

from __future__ import annotations

import asyncio
import math
import random
import time
from typing import Any, ClassVar
from uuid import UUID

from channels.routing import URLRouter
from django.core.exceptions import DisallowedHost
from django.urls import path, re_path

from accounts.models import DeviceSession
from accounts.services.sessions import SessionEnded
from accounts.sockets import PROTOCOL, is_live, session_of_socket
from chat.sockets import Conversations
from common import close_codes
from common.consumers import FrameConsumer, Handler, uuid_in
from common.errors import DomainError
from common.live import patient_group, session_group, user_group
from common.threads import DATABASE_AWAY
from medisync.chart.watching import MOST_WATCHED, ChartSight, NoSuchChart, TooManyWatched, sight_of

RECHECK_SECONDS = 30
SHORTEST_WAIT = 0.1
# When a server ends, clients come back over so many seconds, one for each hundred of them.
SOCKETS_A_SECOND = 100
LONGEST_SPREAD_SECONDS = 30
# What is announced to those who have joined a chat.
OF_CHATS = {
    "chat.message", "chat.retracted", "chat.read", "chat.delivered", "chat.typing", "presence",
}  # fmt: skip


class ClientSocket(FrameConsumer):
    """Delivers what its user is told, until its session ends."""

    session: DeviceSession | None = None
    checked_at = -math.inf  # not yet
    groups_joined: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The charts that are watched: what was last seen, and the clock that waits for its end.
        self.sights: dict[UUID, ChartSight] = {}
        self.ends: dict[UUID, asyncio.TimerHandle] = {}
        self.chats = Conversations(self)
        self.heartbeat: asyncio.TimerHandle | None = None

    async def connect(self) -> None:
        try:
            self.session = await session_of_socket(self.scope)
        except DisallowedHost:
            self.session = None
        except DATABASE_AWAY:
            await self._accept()
            await self.close(close_codes.TRY_LATER)
            return
        await self._accept()
        if self.session is None:
            await self.close(close_codes.NOT_SIGNED_IN)
            return
        self.language = self.session.user.language
        self.groups_joined = self._own_groups(self.session)
        await asyncio.gather(
            *(
                self.channel_layer.group_add(group, self.channel_name)
                for group in self.groups_joined
            )
        )
        # One that ended between the first look and the joining got no announcement.
        if await self._session_stands():
            await self.chats.begin(self.session.pk, self.session.user_id)
            self._plan_heartbeat()

    async def _accept(self) -> None:
        await self.accept(PROTOCOL if PROTOCOL in self.scope["subprotocols"] else None)

    def _own_groups(self, session: DeviceSession) -> tuple[str, ...]:
        """Those of the user and of this device; a patient also hears what changes in their own
        chart."""
        own = (user_group(session.user_id), session_group(session.pk))
        return (*own, patient_group(session.user_id)) if session.user.is_patient else own

    async def disconnect(self, code: int) -> None:
        for patient_id in [*self.sights]:
            await self._forget(patient_id)

    async def gone(self) -> None:
        if self.heartbeat is not None:
            self.heartbeat.cancel()
        for patient_id in [*self.ends]:
            self._drop_plan(patient_id)
        await self.chats.gone()

    def _plan_heartbeat(self) -> None:
        """The socket's own clock. What it asks for waits its turn like an announcement."""
        after = RECHECK_SECONDS * random.uniform(0.8, 1)  # noqa: S311 - no secret
        self.heartbeat = asyncio.get_running_loop().call_later(after, self._beat)

    def _beat(self) -> None:
        self.channel_layer.put(self.channel_name, {"type": "look.again"})
        self._plan_heartbeat()

    async def look_again(self, event: dict[str, Any]) -> None:
        """Announcements may have been lost, as whenever Redis was away: ask what they said."""
        if self.chats.joined:
            self.checked_at = -math.inf
        if await self._session_stands():
            await self.chats.be_there()
            await self.chats.look_again()

    async def server_closing(self, event: dict[str, Any]) -> None:
        """The server ends; what was asked before is answered. Clients come back one by one."""
        spread = min(LONGEST_SPREAD_SECONDS, 1 + event["sockets"] / SOCKETS_A_SECOND)
        after = round(random.uniform(0.5, 0.5 + spread), 1)  # noqa: S311 - no secret
        await self.send_frame({"type": "server.closing", "reconnect_after": after})
        await self.close(close_codes.RESTARTING)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if await self._session_stands():
            await super().receive(text_data, bytes_data)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Passing something on may find out as well that the session is over."""
        try:
            await super().dispatch(message)
        except SessionEnded:
            await self.close(close_codes.REVOKED)

    async def _refuse(self, error: DomainError, ref: Any) -> None:
        await super()._refuse(error, ref)
        if isinstance(error, SessionEnded):
            await self.close(close_codes.REVOKED)

    async def forward(self, event: dict[str, Any]) -> None:
        if not await self._session_stands():
            return
        frame = event["frame"]
        if frame["type"] == "chart.changed":
            await self._pass_change(frame)
        elif frame["type"] in OF_CHATS:
            await self.chats.hear(event)
        else:
            await super().forward(event)
            await self._heed(frame)

    async def _heed(self, frame: dict[str, Any]) -> None:
        """What was told to the client may be over for this socket as well."""
        if frame["type"] == "session.ended":
            await self.close(close_codes.REVOKED)
        elif frame["type"] == "access.revoked":
            await self._look_at(UUID(frame["patient_id"]), tells=False)
        elif frame["type"] == "connection.ended":
            await self.chats.end(UUID(frame["connection_id"]))

    async def _session_stands(self) -> bool:
        """Whether the session still lives. An ended one is announced to its socket, but an
        announcement can be lost with Redis; so before anything passes, it is asked again
        where that was longer ago than half a minute."""
        if time.monotonic() < self.checked_at + RECHECK_SECONDS:
            return True
        if self.session is None or not await is_live(self.session.pk):
            await self.close(close_codes.REVOKED)
            return False
        self.checked_at = time.monotonic()
        return True

    async def ping(self, frame: dict[str, Any]) -> None:
        """A client that may have missed something asks by it, too."""
        await self.send_frame({"type": "pong"}, ref=frame.get("ref"))
        await self.chats.look_again_soon()

    async def watch_chart(self, frame: dict[str, Any]) -> None:
        """From here on the doctor is told of what changes in a patient's chart, kind by kind,
        as far as the patient lets them see it and for as long."""
        patient_id = uuid_in(frame, "patient_id")
        if patient_id not in self.sights and len(self.sights) >= MOST_WATCHED:
            raise TooManyWatched
        # Joined before it is asked: what is taken back meanwhile is heard of.
        await self.channel_layer.group_add(patient_group(patient_id), self.channel_name)
        sight = await self._look(patient_id)
        if sight is None:
            await self._forget(patient_id)
            raise NoSuchChart
        await self.send_frame(sight.frame(patient_id), ref=frame.get("ref"))

    async def unwatch_chart(self, frame: dict[str, Any]) -> None:
        patient_id = uuid_in(frame, "patient_id")
        await self._forget(patient_id)
        answer = {"type": "chart.unwatched", "patient_id": patient_id}
        await self.send_frame(answer, ref=frame.get("ref"))

    async def _look(self, patient_id: UUID) -> ChartSight | None:
        """Ask what may be seen now, and plan to ask again when that ends."""
        sight: ChartSight | None = (
            await sight_of(self.session.pk, patient_id) if self.session else None
        )
        if sight is not None:
            self.sights[patient_id] = sight
            self._plan_end(patient_id, sight)
        return sight

    async def _pass_change(self, frame: dict[str, Any]) -> None:
        patient_id = UUID(frame["patient_id"])
        if self.session is not None and self.session.user_id == patient_id:
            await self.send_frame(frame)
            return
        sight = await self._look_at(patient_id)
        if sight is not None and frame["category"] in sight.categories:
            await self.send_frame(frame)

    async def _look_at(self, patient_id: UUID, *, tells: bool = True) -> ChartSight | None:
        """What is seen of a chart that is watched. Once that is nothing, the watch is over, and
        the client is told so, unless it has just been."""
        before = self.sights.get(patient_id)
        sight = await self._look(patient_id) if before else None
        if before and sight is None:
            await self._forget(patient_id)
            if tells:
                await self.send_frame(_revoked(patient_id, before))
        return sight

    def _plan_end(self, patient_id: UUID, sight: ChartSight) -> None:
        self._drop_plan(patient_id)
        if sight.time_left is not None:
            after = max(SHORTEST_WAIT, sight.time_left.total_seconds())
            loop = asyncio.get_running_loop()
            self.ends[patient_id] = loop.call_later(after, self._end_comes, patient_id)

    def _end_comes(self, patient_id: UUID) -> None:
        """Nobody announces that time has passed, so the socket notices it, and asks in its turn.
        The clock that counts is the database's, and runs a little slower or faster than this."""
        event = {"type": "sight.ends", "patient_id": patient_id}
        self.channel_layer.put(self.channel_name, event)

    async def sight_ends(self, event: dict[str, Any]) -> None:
        await self._look_at(event["patient_id"])

    async def _forget(self, patient_id: UUID) -> None:
        self._drop_plan(patient_id)
        self.sights.pop(patient_id, None)
        group = patient_group(patient_id)
        if group not in self.groups_joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    def _drop_plan(self, patient_id: UUID) -> None:
        plan = self.ends.pop(patient_id, None)
        if plan is not None:
            plan.cancel()

    handlers: ClassVar[dict[str, Handler]] = {
        "ping": ping,
        "chart.watch": watch_chart,
        "chart.unwatch": unwatch_chart,
        "chat.join": lambda self, frame: self.chats.join(frame),
        "chat.leave": lambda self, frame: self.chats.leave(frame),
        "chat.send": lambda self, frame: self.chats.send(frame),
        "chat.retract": lambda self, frame: self.chats.retract(frame),
        "chat.read": lambda self, frame: self.chats.read(frame),
        "chat.delivered": lambda self, frame: self.chats.delivered(frame),
        "chat.typing": lambda self, frame: self.chats.typing(frame),
        "presence.query": lambda self, frame: self.chats.query(frame),
    }


def _revoked(patient_id: UUID, sight: ChartSight) -> dict[str, Any]:
    """As it is announced when a patient takes it back."""
    return {
        "type": "access.revoked",
        "connection_id": str(sight.connection_id),
        "patient_id": str(patient_id),
    }


async def no_socket_here(scope: Any, receive: Any, send: Any) -> None:
    """Any other address."""
    await receive()
    await send({"type": "websocket.close", "code": close_codes.NOT_HERE})


application = URLRouter([path("ws", ClientSocket.as_asgi()), re_path("", no_socket_here)])  # type: ignore[arg-type]
