"""Shapes of conversations, in and out."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chat.models import Absence, CannedReply, Message
from chat.models.chats import MOST_SEQ
from chat.policies import can_converse
from chat.services.reading import LONGEST_QUERY, MOST_AT_ONCE, Line
from common.serializers import InstantField, StrictSerializer
from connections.models import Connection
from connections.serializers.connections import (
    DoctorSerializer,
    HoursSerializer,
    PersonSerializer,
    hours_of,
)


class UnreadField(serializers.IntegerField):
    """How many messages wait for somebody."""

    def __init__(self) -> None:
        most = Message.COUNTED_TO
        words = f"Counted up to {most}, which stands for that many or more."
        super().__init__(read_only=True, max_value=most, help_text=words)


class MessageSerializer(serializers.ModelSerializer[Message]):
    """One entry of the log. Of what was withdrawn, that it was."""

    content = serializers.CharField(source="text", read_only=True)
    is_retracted = serializers.BooleanField(read_only=True)
    message_id = serializers.UUIDField(
        source="target_id",
        read_only=True,
        allow_null=True,
        help_text="Of a withdrawal: the message that is withdrawn.",
    )
    sent_at = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = Message
        fields: ClassVar[list[str]] = [
            "id", "chat_id", "seq", "kind", "sender_id", "client_id", "content", "is_retracted",
            "prescription_id", "message_id", "sent_at",
        ]  # fmt: skip
        read_only_fields = fields


class MessagesSerializer(serializers.Serializer[Any]):
    """Entries by their numbers, the smallest first."""

    results = MessageSerializer(many=True)
    has_more = serializers.BooleanField(help_text="Whether there are more in the same direction.")
    next = serializers.URLField(allow_null=True, help_text="Where those are.")


class PlaceSerializer(serializers.Serializer[Any]):
    """How far one of the two has come. The other's stands still once the connection has ended."""

    user_id = serializers.UUIDField(read_only=True)
    delivered_seq = serializers.IntegerField(read_only=True)
    read_seq = serializers.IntegerField(read_only=True)


class NoticeSerializer(serializers.ModelSerializer[Absence]):
    """That a doctor is away, as the patient reads it."""

    class Meta:
        model = Absence
        fields: ClassVar[list[str]] = ["ends_at", "notice"]
        read_only_fields = fields


class ChatSerializer(serializers.Serializer[Any]):
    """A chat as its `viewer`, named in the context, sees it."""

    id = serializers.UUIDField(source="chat.pk", read_only=True)
    connection_id = serializers.UUIDField(source="chat.connection_id", read_only=True)
    status = serializers.SerializerMethodField(help_text="How the connection stands.")
    can_send = serializers.SerializerMethodField(
        help_text="Whether something can be said here just now."
    )
    patient = PersonSerializer(source="chat.connection.patient", read_only=True)
    doctor = DoctorSerializer(source="chat.connection.doctor", read_only=True)
    last_seq = serializers.IntegerField(source="chat.last_seq", read_only=True)
    last_message = MessageSerializer(allow_null=True, read_only=True)
    unread_count = UnreadField()
    places = PlaceSerializer(many=True, read_only=True)
    active_at = serializers.DateTimeField(source="chat.active_at", read_only=True)
    awaiting_since = serializers.DateTimeField(
        source="chat.awaited_since",
        read_only=True,
        allow_null=True,
        help_text="Since when the patient waits for the doctor's answer.",
    )
    available_days = serializers.ListField(
        source="chat.connection.available_days", child=serializers.CharField(), read_only=True
    )
    available_hours = serializers.SerializerMethodField()
    away = NoticeSerializer(allow_null=True, read_only=True)

    @extend_schema_field(serializers.ChoiceField(choices=Connection.Status.choices))
    def get_status(self, line: Line) -> str:
        return line.chat.connection.status_for(self.context["viewer"])

    def get_can_send(self, line: Line) -> bool:
        return can_converse(self.context["viewer"], line.chat.connection)

    @extend_schema_field(HoursSerializer(allow_null=True))
    def get_available_hours(self, line: Line) -> dict[str, str] | None:
        return hours_of(line.chat.connection)


class ChatQuerySerializer(StrictSerializer):
    awaiting = serializers.BooleanField(
        default=False, help_text="Only those in which a patient waits for the doctor's answer."
    )


class MessagesQuerySerializer(StrictSerializer):
    """Forwards from a number, or backwards; without either, the newest messages."""

    after_seq = serializers.IntegerField(
        min_value=0,
        max_value=MOST_SEQ,
        required=False,
        help_text="All entries behind this number, the oldest first: what a client missed.",
    )
    before_seq = serializers.IntegerField(
        min_value=1,
        max_value=MOST_SEQ,
        required=False,
        help_text="The last messages before this number.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=MOST_AT_ONCE, default=MOST_AT_ONCE)
    q = serializers.CharField(
        max_length=LONGEST_QUERY,
        default="",
        help_text="Only messages that have these words; backwards.",
    )


class SendSerializer(StrictSerializer):
    chat_id = serializers.UUIDField()
    client_id = serializers.UUIDField(
        help_text="Made by the sender's device. Sending again under it returns the first message."
    )
    content = serializers.CharField(max_length=Message.MAX_LENGTH, allow_blank=True)
    prescription_id = serializers.UUIDField(required=False, allow_null=True)


class SeqSerializer(StrictSerializer):
    seq = serializers.IntegerField(min_value=0, max_value=MOST_SEQ)


class CameToSerializer(serializers.Serializer[Any]):
    """Up to where, by now."""

    chat_id = serializers.UUIDField()
    seq = serializers.IntegerField()


class UnreadSerializer(serializers.Serializer[Any]):
    count = UnreadField()


class ReplyInputSerializer(StrictSerializer):
    title = serializers.CharField(max_length=CannedReply.TITLE_LENGTH)
    content = serializers.CharField(max_length=Message.MAX_LENGTH)


class ReplySerializer(serializers.ModelSerializer[CannedReply]):
    class Meta:
        model = CannedReply
        fields: ClassVar[list[str]] = ["id", "title", "content"]
        read_only_fields = fields


class AbsenceInputSerializer(StrictSerializer):
    starts_at = InstantField()
    ends_at = InstantField()
    notice = serializers.CharField(
        max_length=Absence.NOTICE_LENGTH, required=False, allow_blank=True
    )


class AbsenceSerializer(serializers.ModelSerializer[Absence]):
    class Meta:
        model = Absence
        fields: ClassVar[list[str]] = ["starts_at", "ends_at", "notice"]
        read_only_fields = fields
