from __future__ import annotations

from typing import ClassVar

from rest_framework import serializers

from notifications.models import Notification


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    title = serializers.CharField(read_only=True, help_text="In the caller's language.")

    class Meta:
        model = Notification
        fields: ClassVar[list[str]] = ["id", "kind", "title", "url", "created_at", "read_at"]
        read_only_fields = fields


class UnreadCountSerializer(serializers.Serializer[dict[str, int]]):
    count = serializers.IntegerField(read_only=True)
