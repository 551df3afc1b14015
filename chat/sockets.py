"""A client's chats on its socket: what it asks, and what it is told.

Handlers read a frame, call one service on a thread, and answer. What is said in a chat reaches
the socket as announcements, in whichever order; it is passed on in the order of the numbers,
each once. Two things hold that: a socket handles its frames and announcements one after another,
and an entry that is seen in the table has all before it there.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from chat import on_threads, presence
from chat.frames import Frame, number_in, presence_frame, text_in, typing_frame
from chat.live import chat_group
from chat.presence import presence_group
from common.consumers import FrameConsumer, FrameError, uuid_in
from common.errors import DomainError
from common.live import whisper

MOST_JOINED = 50
# A ping asks for what was lost, at most so often.
ASK_EVERY_SECONDS = 5


class TooManyJoined(DomainError):
    code = "too_many_joined"
    detail = _("Leave another chat first.")


@dataclass(slots=True)
class Joined:
    """A chat that this socket hears: the newest entry it has passed on, and whether the client
    has all up to it. `online` is what it was last told of the other side."""

    connection_id: UUID
    other_id: str
    newest: int
    is_caught_up: bool
    online: bool | None = None
    is_typing: bool = False


class Conversations:
    """The chats that one socket has joined."""

    def __init__(self, socket: FrameConsumer) -> None:
        self.socket = socket
        self.joined: dict[str, Joined] = {}
        self.asked_at = time.monotonic()
        self.session_id: UUID | None = None
        self.user_id = ""

    async def begin(self, session_id: UUID, user_id: UUID) -> None:
        self.session_id, self.user_id = session_id, str(user_id)
        await self.be_there()

    async def be_there(self) -> None:
        """Said when the socket opens, and again while it is."""
        if await presence.arrive(self.user_id, self.socket.channel_name):
            await whisper(presence_group(self.user_id), presence_frame(self.user_id, online=True))

    # --- What the client asks ---

    async def join(self, frame: Frame) -> None:
        """From here on the chat is heard. The group is joined first and read after, so that
        nothing falls between; what is announced meanwhile waits its turn, and is known by its
        number."""
        chat_id = str(uuid_in(frame, "chat_id"))
        after = None if frame.get("after_seq") is None else number_in(frame, "after_seq")
        if chat_id not in self.joined and len(self.joined) >= MOST_JOINED:
            raise TooManyJoined
        await self._follow(chat_group(chat_id))
        chat = None
        try:
            chat = await on_threads.look_into(self.session_id, UUID(chat_id), after)
        finally:
            if chat is None:
                await self._forget(chat_id)
                await self._unfollow(chat_group(chat_id))
        newest = chat.missed.entries[-1]["seq"] if chat.missed.entries else chat.last_seq
        self._note(chat_id, chat, newest)
        await self._follow(presence_group(chat.other_id))
        await self.socket.send_frame(
            {
                "type": "chat.joined",
                "chat_id": chat_id,
                "last_seq": max(chat.last_seq, newest),
                "has_more": chat.missed.has_more,
                "missed": chat.missed.entries,
                "places": chat.places,
            },
            ref=frame.get("ref"),
        )
        if await presence.is_typing(chat_id, chat.other_id):
            await self.socket.send_frame(typing_frame(chat_id, str(chat.other_id), on=True))

    def _note(self, chat_id: str, chat: on_threads.ChatAtJoining, newest: int) -> None:
        before = self.joined.get(chat_id)
        self.joined[chat_id] = Joined(
            chat.connection_id,
            str(chat.other_id),
            newest,
            not chat.missed.has_more,
            online=before.online if before else None,
            is_typing=before.is_typing if before else False,
        )

    async def leave(self, frame: Frame) -> None:
        """Leaving a chat that was not joined is no mistake."""
        chat_id = str(uuid_in(frame, "chat_id"))
        await self._forget(chat_id)
        await self.socket.send_frame(
            {"type": "chat.left", "chat_id": chat_id}, ref=frame.get("ref")
        )

    async def send(self, frame: Frame) -> None:
        """Answered once it is kept."""
        prescription = frame.get("prescription_id")
        entry = await on_threads.say(
            self.session_id,
            chat_id=uuid_in(frame, "chat_id"),
            client_id=uuid_in(frame, "client_id"),
            content=text_in(frame, "content"),
            prescription_id=None if prescription is None else uuid_in(frame, "prescription_id"),
        )
        await self.socket.send_frame(entry, ref=frame.get("ref"))

    async def retract(self, frame: Frame) -> None:
        """A withdrawal is an entry as well, and answered like one that says something."""
        entry = await on_threads.withdraw(self.session_id, uuid_in(frame, "message_id"))
        await self.socket.send_frame(entry, ref=frame.get("ref"))

    async def read(self, frame: Frame) -> None:
        await self._come_to(frame, "chat.read")

    async def delivered(self, frame: Frame) -> None:
        await self._come_to(frame, "chat.delivered")

    async def _come_to(self, frame: Frame, kind: str) -> None:
        """Answered by how far the user has come by now, on whichever device."""
        chat_id = uuid_in(frame, "chat_id")
        seq = await on_threads.come_to(self.session_id, chat_id, number_in(frame, "seq"), kind)
        place = {"type": kind, "chat_id": chat_id, "user_id": self.user_id, "seq": seq}
        await self.socket.send_frame(place, ref=frame.get("ref"))

    async def typing(self, frame: Frame) -> None:
        """It holds for a few seconds, and is said again for as long as it is true."""
        chat_id, on = str(uuid_in(frame, "chat_id")), frame.get("on")
        if not isinstance(on, bool):
            raise FrameError(attr="on")
        await on_threads.check_may_write(self.session_id, UUID(chat_id))
        await self._tell_typing(chat_id, on=on)
        answer = typing_frame(chat_id, self.user_id, on=on)
        await self.socket.send_frame(answer, ref=frame.get("ref"))

    async def _tell_typing(self, chat_id: str, *, on: bool) -> None:
        if (joined := self.joined.get(chat_id)) is not None:
            joined.is_typing = on
        await presence.set_typing(chat_id, self.user_id, on=on)
        await whisper(chat_group(chat_id), typing_frame(chat_id, self.user_id, on=on))

    async def query(self, frame: Frame) -> None:
        """Whether the other side of a connection that stands is there; of others one learns
        nothing, not even that they exist."""
        user_id = uuid_in(frame, "user_id")
        await on_threads.check_are_joined(self.session_id, user_id)
        online = await presence.is_online(user_id)
        for joined in self._with(str(user_id)):
            joined.online = online
        await self.socket.send_frame(presence_frame(str(user_id), online), ref=frame.get("ref"))

    # --- What is announced ---

    async def hear(self, event: Frame) -> None:
        """Pass on what concerns a chat that is joined."""
        frame = event["frame"]
        if frame["type"] == "presence":
            await self._hear_presence(frame["user_id"], frame["online"])
            return
        joined = self.joined.get(frame["chat_id"])
        if joined is None:
            return
        if frame["type"] in {"chat.message", "chat.retracted"}:
            await self._hear_entry(frame["chat_id"], joined, event)
        elif frame["type"] != "chat.typing" or frame["user_id"] != self.user_id:
            await self.socket.pass_on(event)

    async def _hear_entry(self, chat_id: str, joined: Joined, event: Frame) -> None:
        """The next one is passed on; one that was, is not again; where one is missing, it and
        those behind it are read. A client that has not caught up joins again for them."""
        seq = event["frame"]["seq"]
        if not joined.is_caught_up or seq <= joined.newest:
            return
        if seq == joined.newest + 1:
            joined.newest = seq
            await self.socket.pass_on(event)
            return
        await self._fill(chat_id, joined)

    async def _fill(self, chat_id: str, joined: Joined) -> None:
        has_more = True
        while has_more:
            missed = await on_threads.look_behind(self.session_id, UUID(chat_id), joined.newest)
            if missed is None:
                await self._put_out(chat_id)
                return
            for entry in missed.entries:
                joined.newest = entry["seq"]
                await self.socket.send_frame(entry)
            has_more = missed.has_more

    async def _hear_presence(self, user_id: str, online: bool | None) -> None:
        for joined in self._with(user_id):
            if joined.online != online:
                joined.online = online
                await self.socket.send_frame(presence_frame(user_id, online))

    def _with(self, user_id: str) -> list[Joined]:
        return [joined for joined in self.joined.values() if joined.other_id == user_id]

    async def end(self, connection_id: UUID) -> None:
        """A connection has ended: nothing of its chat is heard from here on."""
        for chat_id, joined in [*self.joined.items()]:
            if joined.connection_id == connection_id:
                await self._put_out(chat_id)

    async def look_again(self) -> None:
        """Ask in one query which of the chats still stand, and what was said in them: what was
        announced may have been lost, the end of a connection like a message."""
        self.asked_at = time.monotonic()
        if not self.joined:
            return
        standing = await on_threads.how_they_stand(
            self.session_id, [UUID(one) for one in self.joined]
        )
        for chat_id, joined in [*self.joined.items()]:
            last_seq = standing.get(chat_id)
            if last_seq is None:
                await self._put_out(chat_id)
            elif joined.is_caught_up and last_seq > joined.newest:
                await self._fill(chat_id, joined)
        await self._look_for_people()

    async def look_again_soon(self) -> None:
        """On a ping."""
        if time.monotonic() > self.asked_at + ASK_EVERY_SECONDS:
            await self.look_again()

    async def _look_for_people(self) -> None:
        people = [joined.other_id for joined in self.joined.values()]
        for user_id, online in zip(people, await presence.are_online(people), strict=True):
            await self._hear_presence(user_id, online)

    async def _put_out(self, chat_id: str) -> None:
        await self._forget(chat_id)
        await self.socket.send_frame({"type": "chat.left", "chat_id": chat_id})

    async def _forget(self, chat_id: str) -> None:
        joined = self.joined.pop(chat_id, None)
        if joined is None:
            return
        await self._unfollow(chat_group(chat_id))
        await self._unfollow(presence_group(joined.other_id))
        if joined.is_typing:
            await self._tell_typing(chat_id, on=False)

    async def gone(self) -> None:
        """The socket has: it writes nothing any more, and after a moment its user is told to
        have left, unless another device of theirs is there."""
        if self.session_id is None:
            return
        for chat_id, joined in self.joined.items():
            if joined.is_typing:
                await self._tell_typing(chat_id, on=False)
        self.joined.clear()
        await presence.part(self.user_id, self.socket.channel_name)
        telling = asyncio.create_task(_tell_gone(self.user_id))
        _tellings.add(telling)
        telling.add_done_callback(_tellings.discard)

    async def _follow(self, group: str) -> None:
        await self.socket.channel_layer.group_add(group, self.socket.channel_name)

    async def _unfollow(self, group: str) -> None:
        await self.socket.channel_layer.group_discard(group, self.socket.channel_name)


_tellings: set[asyncio.Task[None]] = set()


async def _tell_gone(user_id: str) -> None:
    await asyncio.sleep(presence.GRACE_SECONDS + 0.1)
    if await presence.is_online(user_id) is False:
        await whisper(presence_group(user_id), presence_frame(user_id, online=False))
