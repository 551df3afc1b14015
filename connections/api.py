"""A person's own connections. The paths are the original's: `/requests/connections`."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.pagination import FeedPagination
from connections import services
from connections.models import Connection
from connections.serializers import ConnectionSerializer


@extend_schema(tags=["connections"])
class ConnectionViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Connection]
):
    """Those you are connected with, now or before."""

    queryset = Connection.objects.none()
    serializer_class = ConnectionSerializer
    pagination_class = FeedPagination
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Connection]:
        return Connection.objects.visible_to(self.request.user).with_people()

    @extend_schema(request=None)
    @action(detail=True, methods=["put"])
    def deactivate(self, request: Request, pk: UUID) -> Response:
        """End it, from either side. What was written stays readable to whoever wrote it, and
        to the patient."""
        services.end_connection(actor=request.user, connection_id=pk)
        return self.retrieve(request, pk=pk)
