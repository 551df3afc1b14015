"""The tables of conversations."""

from chat.models.chats import Chat, Participant
from chat.models.help import Absence, CannedReply
from chat.models.messages import Message

__all__ = ["Absence", "CannedReply", "Chat", "Message", "Participant"]
