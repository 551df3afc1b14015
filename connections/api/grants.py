"""What patients let doctors see, over REST."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.pagination import FeedPagination
from common.serializers import valid, valid_query
from connections.models import AccessGrant
from connections.serializers import grants as shapes
from connections.services import grants


@extend_schema(tags=["grants"])
class GrantViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[AccessGrant]):
    """To patients what they let doctors see, now and before; to a doctor what they may see
    now."""

    queryset = AccessGrant.objects.none()
    serializer_class = shapes.GrantSerializer
    pagination_class = FeedPagination
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[AccessGrant]:
        return AccessGrant.objects.visible_to(self.request.user).with_people()

    @extend_schema(parameters=[shapes.GrantFilterSerializer])
    def list(self, request: Request) -> Response:
        """Newest first, of one connection or of all."""
        wanted = valid_query(request, shapes.GrantFilterSerializer)
        page = self.paginate_queryset(self.get_queryset().filter(**wanted))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=shapes.NewGrantSerializer, responses={201: shapes.GrantSerializer})
    def create(self, request: Request) -> Response:
        """Choose what a connected doctor sees; the choice before ends, whatever it was. To change
        one that you have seen, and no other, put it."""
        data = valid(shapes.NewGrantSerializer(data=request.data))
        grant = grants.set_grant(actor=request.user, **data)
        return Response(self._shape(grant), status=status.HTTP_201_CREATED)

    @extend_schema(request=shapes.GrantTermsSerializer, responses=shapes.GrantSerializer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Choose anew. A grant's terms never change, so this ends it and answers with the one
        that takes its place. One that was replaced meanwhile is a 409."""
        sharing = valid(shapes.GrantTermsSerializer(data=request.data))
        grant = grants.replace_grant(actor=request.user, grant_id=pk, sharing=sharing)
        return Response(self._shape(grant))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Take it back, at once and everywhere."""
        grants.revoke_grant(actor=request.user, grant_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def renew(self, request: Request, pk: UUID) -> Response:
        """Keep it: the same again, and where it has an end, for as long again."""
        return Response(self._shape(grants.renew_grant(actor=request.user, grant_id=pk)))

    def _shape(self, grant: AccessGrant | None) -> Any:
        if grant is None:
            raise grants.NothingShared
        return self.get_serializer(self.get_queryset().get(pk=grant.pk)).data
