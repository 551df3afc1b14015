from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from common.serializers import StrictSerializer
from notifications.models import Notification, Preferences
from notifications.wording import EVENTS, MANDATORY, Kind, events_for

TIME = "%H:%M"


EVENT_CHOICES = [(kind, kind) for kind in EVENTS]


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    title = serializers.CharField(read_only=True, help_text="In the caller's language.")

    class Meta:
        model = Notification
        fields: ClassVar[list[str]] = ["id", "kind", "title", "url", "created_at", "read_at"]
        read_only_fields = fields


class ListQuerySerializer(serializers.Serializer[Any]):
    unread = serializers.BooleanField(default=False)


class UnreadCountSerializer(serializers.Serializer[dict[str, int]]):
    count = serializers.IntegerField(
        read_only=True,
        max_value=Notification.COUNTED_TO,
        help_text=f"Counted up to {Notification.COUNTED_TO}, which stands for that many or more.",
    )


class EventSerializer(serializers.Serializer[Any]):
    """One event, and by which ways its reader is told of it."""

    kind = serializers.ChoiceField(choices=EVENT_CHOICES)
    label = serializers.CharField(  # type: ignore[assignment]
        help_text="In the caller's language."
    )
    is_mandatory = serializers.BooleanField(
        help_text="It comes by both ways and at any hour; neither can be turned off."
    )
    email = serializers.BooleanField()
    live = serializers.BooleanField(help_text="At once, on open pages and sockets.")


class PreferencesSerializer(serializers.Serializer[Any]):
    quiet_from = serializers.TimeField(format=TIME, allow_null=True)
    quiet_until = serializers.TimeField(format=TIME, allow_null=True)
    events = EventSerializer(many=True)

    def to_representation(self, instance: Preferences) -> dict[str, Any]:
        events = [_event(kind, instance) for kind in events_for(instance.user.role)]
        return super().to_representation(
            {
                "quiet_from": instance.quiet_from,
                "quiet_until": instance.quiet_until,
                "events": events,
            }
        )


def _event(kind: Kind, wishes: Preferences) -> dict[str, Any]:
    is_mandatory = kind in MANDATORY
    return {
        "kind": kind,
        "label": kind.label,
        "is_mandatory": is_mandatory,
        "email": is_mandatory or kind not in wishes.no_email,
        "live": is_mandatory or kind not in wishes.no_live,
    }


class ChoiceSerializer(StrictSerializer):
    kind = serializers.ChoiceField(choices=EVENT_CHOICES)
    email = serializers.BooleanField()
    live = serializers.BooleanField()


class ReplacePreferencesSerializer(StrictSerializer):
    quiet_from = serializers.TimeField(input_formats=[TIME], allow_null=True)
    quiet_until = serializers.TimeField(input_formats=[TIME], allow_null=True)
    events: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=ChoiceSerializer(), max_length=len(EVENTS)
    )
