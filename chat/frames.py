"""What a client's frame says, and the frames of what is kept nowhere."""

from __future__ import annotations

from typing import Any

from django.core.validators import ProhibitNullCharactersValidator

from chat.models.chats import MOST_SEQ
from common.consumers import FrameError
from common.errors import InvalidInput

Frame = dict[str, Any]


def typing_frame(chat_id: str, user_id: str, *, on: bool) -> Frame:
    return {"type": "chat.typing", "chat_id": chat_id, "user_id": user_id, "on": on}


def presence_frame(user_id: str, online: bool | None) -> Frame:
    return {"type": "presence", "user_id": user_id, "online": online}


def number_in(frame: Frame, name: str) -> int:
    value = frame.get(name)
    if type(value) is not int or not 0 <= value <= MOST_SEQ:
        raise FrameError(attr=name)
    return value


def text_in(frame: Frame, name: str) -> str:
    value = frame.get(name)
    if not isinstance(value, str):
        raise FrameError(attr=name)
    if "\x00" in value:
        raise InvalidInput(ProhibitNullCharactersValidator.message, attr=name)
    return value
