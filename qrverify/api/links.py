"""SMART Health Links over REST, for their patients."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import session_of
from common.pagination import FeedPagination
from common.serializers import valid
from qrverify.models import SharedLink
from qrverify.serializers import links as shapes
from qrverify.services import links


@extend_schema_view(list=extend_schema(description="Your links, newest first."))
@extend_schema(tags=["links"])
class LinkViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[SharedLink]):
    queryset = SharedLink.objects.none()
    serializer_class = shapes.SharedLinkSerializer
    pagination_class = FeedPagination
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[SharedLink]:
        return SharedLink.objects.visible_to(self.request.user)

    @extend_schema(request=shapes.NewLinkSerializer, responses={201: shapes.ShownLinkSerializer})
    def create(self, request: Request) -> Response:
        """Share your emergency card, or a summary of your data, with whoever has the link; by
        someone who has just confirmed that it is them."""
        wish = valid(shapes.NewLinkSerializer(data=request.data))
        link = links.make_link(session=session_of(request), wish=wish)
        return Response(shapes.ShownLinkSerializer(link).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=shapes.OpenedLinkSerializer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One of your links, and who opened it."""
        return Response(shapes.OpenedLinkSerializer(self.get_object()).data)

    @extend_schema(responses=shapes.AddressSerializer)
    @action(detail=True)
    def address(self, request: Request, pk: UUID) -> Response:
        """Its address, to be shown or handed on; for someone who has just confirmed that it is
        them. One that opens nothing any more has none."""
        shown = links.show_address(session=session_of(request), link_id=pk)
        return Response(shapes.AddressSerializer(shown).data)

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Withdraw it: it opens nothing from now on."""
        links.revoke_link(actor=request.user, link_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)
