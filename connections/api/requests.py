"""Asking a doctor to connect, and the answer, over REST."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status, views, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.files import show
from common.pagination import FeedPagination
from common.parsers import JSONParser
from common.pictures import PICTURE_TYPE
from common.renderers import FileRenderer, JSONRenderer
from common.serializers import valid
from connections.api.base import naming_share
from connections.models import ConnectionRequest
from connections.serializers import requests as shapes
from connections.serializers.connections import BlockSerializer, ConnectionSerializer
from connections.services import answers, connections, request_contents, requests
from connections.services.grants import NOTHING


class PictureRenderer(FileRenderer):
    media_type = PICTURE_TYPE
    format = "jpg"


@extend_schema(tags=["requests"])
class SendRequestView(views.APIView):
    """Asking a doctor."""

    parser_classes: ClassVar = [JSONParser, MultiPartParser]
    throttle_rate = "10/h"
    throttle_group = "send-request"

    @extend_schema(
        request={
            "application/json": shapes.SendRequestSerializer,
            "multipart/form-data": shapes.SendRequestWithImageSerializer,
        },
        responses={201: shapes.OpenedRequestSerializer},
    )
    def post(self, request: Request) -> Response:
        """Ask a doctor to connect. `share` is what the doctor sees once connected; without it,
        nothing. A picture of an earlier prescription comes as multipart, where `share` is a
        text that holds the JSON."""
        is_form = request.content_type.startswith("multipart/")
        shape = shapes.SendRequestWithImageSerializer if is_form else shapes.SendRequestSerializer
        data = valid(shape(data=request.data))
        with naming_share():
            sent = requests.send_request(
                actor=request.user,
                doctor_id=data["doctor_id"],
                notes=data.get("notes", ""),
                image=data.get("prescription_image"),
                sharing=data.get("share", NOTHING),
            )
        return Response(opened(request, sent.pk), status=status.HTTP_201_CREATED)


@extend_schema(tags=["requests"])
class RequestViewSet(viewsets.GenericViewSet[ConnectionRequest]):
    """Those you sent, as a patient, or received, as a doctor."""

    queryset = ConnectionRequest.objects.none()
    serializer_class = shapes.RequestSerializer
    pagination_class = FeedPagination
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[ConnectionRequest]:
        return ConnectionRequest.objects.visible_to(self.request.user).with_people()

    @extend_schema(responses=shapes.RequestSerializer(many=True))
    @action(detail=False)
    def pending(self, request: Request) -> Response:
        """Those that wait for the doctor's answer, newest first."""
        return self._page(self._in_state(ConnectionRequest.Status.PENDING))

    @extend_schema(
        parameters=[OpenApiParameter("status", str, enum=ConnectionRequest.Status.values)],
        responses=shapes.RequestSerializer(many=True),
    )
    @action(detail=False, url_path="all")
    def every(self, request: Request) -> Response:
        """All of them, newest first; `status` keeps those of one."""
        query = valid(shapes.RequestQuerySerializer(data=request.query_params))
        wanted = query.get("status")
        return self._page(self._in_state(wanted) if wanted else self.get_queryset())

    @extend_schema(responses=shapes.OpenedRequestSerializer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One request with what the patient told in it; that a doctor reads it is logged."""
        found = request_contents.open_request(actor=request.user, request_id=pk)
        return Response(shapes.OpenedRequestSerializer(found).data)

    @extend_schema(request=shapes.AcceptSerializer, responses=ConnectionSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: UUID) -> Response:
        """Connect with the patient who asked, and say when they reach you. Answers with the
        connection."""
        said = valid(shapes.AcceptSerializer(data=request.data))
        made = answers.accept_request(actor=request.user, request_id=pk, **said)
        return Response(ConnectionSerializer(made, context={"viewer": request.user}).data)

    @extend_schema(request=shapes.RejectSerializer, responses=shapes.OpenedRequestSerializer)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: UUID) -> Response:
        """Decline, with a reason that the patient reads, or without one."""
        said = valid(shapes.RejectSerializer(data=request.data))
        answers.reject_request(actor=request.user, request_id=pk, **said)
        return Response(opened(request, pk))

    @extend_schema(request=None, responses=shapes.OpenedRequestSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Withdraw what you asked, while it waits."""
        requests.cancel_request(actor=request.user, request_id=pk)
        return Response(opened(request, pk))

    @extend_schema(responses={(200, PICTURE_TYPE): OpenApiTypes.BINARY})
    @action(detail=True, renderer_classes=[PictureRenderer, JSONRenderer])
    def image(self, request: Request, pk: UUID) -> FileResponse:
        """The picture: for the patient always; for the doctor while the request waits, and
        then while you are connected by it. That it is looked at is logged."""
        shown = request_contents.open_image(actor=request.user, request_id=pk)
        return show(shown.image, name=shown.image_name)

    @extend_schema(request=BlockSerializer, responses=ConnectionSerializer)
    @action(detail=False, methods=["post"])
    def block(self, request: Request) -> Response:
        """Have no more to do with a person. A connection ends, a request that waits is closed;
        the other side is told of that, and not of the block. Only somebody you know: you were
        connected, one asked the other, or the doctor is in the directory."""
        said = valid(BlockSerializer(data=request.data))
        blocked = connections.block(actor=request.user, person_id=said["person_id"])
        return Response(ConnectionSerializer(blocked, context={"viewer": request.user}).data)

    def _in_state(self, state: str) -> QuerySet[ConnectionRequest]:
        return self.get_queryset().in_state(state, timezone.now())  # type: ignore[attr-defined,no-any-return]

    def _page(self, found: QuerySet[ConnectionRequest]) -> Response:
        page = self.paginate_queryset(found)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


def opened(request: Request, pk: UUID) -> Any:
    """A request as it stands after a verb of the caller's own."""
    seen = ConnectionRequest.objects.seen_by(request.user).with_people()
    return shapes.OpenedRequestSerializer(seen.get(pk=pk)).data
