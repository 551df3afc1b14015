"""Shapes of the access log."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.models import Role
from audit.models import AccessCase, AccessEvent
from common.serializers import InstantField, StrictSerializer
from connections.models import DataCategory
from connections.services.access_log import By, Entry, Wanted


class WantedSerializer(StrictSerializer):
    """What of the log is asked for. Valid, it is a `Wanted`."""

    by = serializers.ChoiceField(choices=By.choices, default=By.OTHERS)
    actor_id = serializers.UUIDField(required=False, help_text="What this person did.")
    category = serializers.ChoiceField(choices=DataCategory.choices, required=False)
    action = serializers.ChoiceField(choices=AccessEvent.Action.choices, required=False)
    since = InstantField(required=False, help_text="From this moment on.")
    until = InstantField(required=False, help_text="Before this moment.")

    def validate(self, attrs: dict[str, Any]) -> Wanted:
        return Wanted(**attrs)


class QuestionSerializer(StrictSerializer):
    question = serializers.CharField(max_length=AccessCase.QUESTION_LENGTH)


class CaseSerializer(serializers.ModelSerializer[AccessCase]):
    """A question about an access, and the answer."""

    class Meta:
        model = AccessCase
        fields: ClassVar[list[str]] = [
            "id", "event_id", "question", "status", "created_at", "due_at", "answer",
            "answered_at",
        ]  # fmt: skip
        read_only_fields = fields


class ActorSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(allow_null=True, help_text="Null for who has no account.")
    display_name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices, allow_blank=True)


class ObjectSerializer(serializers.Serializer[Any]):
    type = serializers.CharField(source="event.object_type")
    id = serializers.UUIDField(source="event.object_id")
    url = serializers.CharField(help_text="The page that shows it to you; empty where none does.")


class EntrySerializer(serializers.Serializer[Entry]):
    """One act on the caller's data."""

    id = serializers.UUIDField(source="event.pk")
    at = serializers.DateTimeField(source="event.created_at")
    actor = ActorSerializer()
    action = serializers.ChoiceField(choices=AccessEvent.Action.choices, source="event.action")
    category = serializers.ChoiceField(
        choices=DataCategory.choices, allow_blank=True, source="event.category"
    )
    basis = serializers.ChoiceField(choices=AccessEvent.Basis.choices, source="event.basis")
    object = ObjectSerializer(source="*")
    sentence = serializers.CharField(
        help_text="The same in words, in your language. Names stand in Unicode isolates."
    )
    can_question = serializers.BooleanField()
    case = CaseSerializer(allow_null=True, help_text="Your newest question about it.")
