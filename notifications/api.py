"""A person's own notifications."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from common.pagination import FeedPagination
from common.serializers import valid
from notifications import services
from notifications.models import Notification
from notifications.serializers import (
    ListQuerySerializer,
    NotificationSerializer,
    PreferencesSerializer,
    ReplacePreferencesSerializer,
    UnreadCountSerializer,
)


@extend_schema(tags=["notifications"])
class NotificationViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Notification]):
    queryset = Notification.objects.none()
    serializer_class = NotificationSerializer
    permission_classes: ClassVar = [IsAuthenticated]  # applicants are told things, too
    pagination_class = FeedPagination
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Notification]:
        return Notification.objects.visible_to(self.request.user).with_about()

    @extend_schema(parameters=[ListQuerySerializer])
    def list(self, request: Request) -> Response:
        """What you were told, newest first; `unread` keeps what you have not read."""
        query = valid(ListQuerySerializer(data=request.query_params))
        found = self.get_queryset()
        rows = found.unread() if query["unread"] else found  # type: ignore[attr-defined]
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Take it out of the list."""
        services.delete_notification(actor=request.user, notification_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=NotificationSerializer)
    @action(detail=True, methods=["put"])
    def read(self, request: Request, pk: UUID) -> Response:
        """Mark it read."""
        notification = services.mark_read(actor=request.user, notification_id=pk)
        return Response(self.get_serializer(notification).data)

    @extend_schema(request=None, responses=UnreadCountSerializer)
    @action(detail=False, methods=["put"], url_path="read-all", pagination_class=None)
    def read_all(self, request: Request) -> Response:
        """Mark all read; the answer counts what is still unread."""
        services.mark_all_read(actor=request.user)
        return self._count()

    @extend_schema(responses=UnreadCountSerializer)
    @action(detail=False, url_path="unread/count", pagination_class=None)
    def unread_count(self, request: Request) -> Response:
        """How many are unread."""
        return self._count()

    @extend_schema(responses=PreferencesSerializer)
    @action(detail=False, pagination_class=None)
    def preferences(self, request: Request) -> Response:
        """Your quiet hours, and how you are told of what can happen to you."""
        return Response(PreferencesSerializer(services.preferences_of(request.user)).data)

    @extend_schema(request=ReplacePreferencesSerializer, responses=PreferencesSerializer)
    @preferences.mapping.put
    def replace_preferences(self, request: Request) -> Response:
        """Replace them all. An event that is left out comes by both ways; quiet hours are in
        your own time zone, and none if both are null."""
        body = valid(ReplacePreferencesSerializer(data=request.data))
        wishes = services.set_preferences(actor=request.user, **body)
        return Response(PreferencesSerializer(wishes).data)

    def _count(self) -> Response:
        unread = Notification.objects.visible_to(self.request.user).unread()
        return Response({"count": unread.counted()})
