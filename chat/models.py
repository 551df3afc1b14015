"""One chat per connection, and its messages: FHIR `Communication`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from common.models import BaseModel
from connections.models import Connection


class ChatQuerySet(models.QuerySet["Chat"]):
    def visible_to(self, user: Any) -> ChatQuerySet:
        """The chats of the connections one sees."""
        return self.filter(connection__in=Connection.objects.visible_to(user))


class Chat(BaseModel):
    """The conversation of one connection. `last_seq` is raised under the row's lock, which is
    what leaves no gap in a chat's numbering."""

    connection = models.OneToOneField(Connection, on_delete=models.PROTECT, related_name="chat")
    last_seq = models.PositiveBigIntegerField(default=0)

    objects = ChatQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.pk)


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: Any) -> MessageQuerySet:
        return self.filter(chat__in=Chat.objects.visible_to(user))


class Message(BaseModel):
    """One message. `client_id` is made by the sender's device, so sending it again after a
    lost answer finds the first."""

    MAX_LENGTH = 5000

    chat = models.ForeignKey(Chat, on_delete=models.PROTECT, related_name="messages")
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="messages"
    )
    seq = models.PositiveBigIntegerField()
    client_id = models.UUIDField()
    content = models.TextField(max_length=MAX_LENGTH)
    retracted_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["seq"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["chat", "seq"], name="message_seq_in_chat"),
            models.UniqueConstraint(fields=["sender", "client_id"], name="message_sent_once"),
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="message_seq_from_one"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
