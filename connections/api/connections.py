"""A person's own connections. The paths are the original's: `/requests/connections`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.pagination import FeedPagination
from common.serializers import valid
from connections.models import Connection
from connections.serializers import connections as shapes
from connections.services import connections as services


class ConnectionQuerySerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=Connection.Status.choices, required=False)


@extend_schema(tags=["connections"])
class ConnectionViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Connection]):
    """Those you are connected with, now or before."""

    queryset = Connection.objects.none()
    serializer_class = shapes.ConnectionSerializer
    pagination_class = FeedPagination
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Connection]:
        return Connection.objects.visible_to(self.request.user).with_people()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "viewer": self.request.user}

    @extend_schema(parameters=[OpenApiParameter("status", str, enum=Connection.Status.values)])
    def list(self, request: Request) -> Response:
        """Newest first; `status` keeps those that stand so, as you may know it."""
        query = valid(ConnectionQuerySerializer(data=request.query_params))
        found = Connection.objects.visible_to(request.user).with_people()
        if "status" in query:
            found = found.standing_as(query["status"], request.user)
        page = self.paginate_queryset(found)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["put"])
    def deactivate(self, request: Request, pk: UUID) -> Response:
        """End it, from either side. What was written stays readable to whoever wrote it, and
        to the patient."""
        ended = services.end_connection(actor=request.user, connection_id=pk)
        return self._answer(ended)

    @extend_schema(request=shapes.AvailabilitySerializer)
    @action(detail=True, methods=["put"])
    def availability(self, request: Request, pk: UUID) -> Response:
        """Say when the patient reaches you, the doctor. It replaces what was said before."""
        said = valid(shapes.AvailabilitySerializer(data=request.data))
        changed = services.set_availability(actor=request.user, connection_id=pk, **said)
        return self._answer(changed)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def unblock(self, request: Request, pk: UUID) -> Response:
        """Take your block back. You stay apart until the patient asks or scans again."""
        return self._answer(services.unblock(actor=request.user, connection_id=pk))

    def _answer(self, connection: Connection) -> Response:
        return Response(self.get_serializer(connection).data)
