"""Asking for the same again, the answer, and the story of a prescription, over REST."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status, views, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.pagination import FeedPagination
from common.serializers import valid
from prescriptions.models import RefillRequest
from prescriptions.serializers import refills as shapes
from prescriptions.services import refills
from prescriptions.services.timeline import open_history, timeline


@extend_schema(tags=["prescriptions"])
class AskRefillView(views.APIView):
    @extend_schema(
        request=shapes.AskRefillSerializer, responses={201: shapes.RefillRequestSerializer}
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Ask the prescriber to prescribe the same again. One request at a time."""
        said = valid(shapes.AskRefillSerializer(data=request.data))
        asked = refills.request_refill(actor=request.user, prescription_id=pk, **said)
        return Response(shapes.RefillRequestSerializer(asked).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["prescriptions"])
class HistoryView(views.APIView):
    @extend_schema(responses=shapes.PrescriptionEventSerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        """All that happened under its number, the newest first, to its patient and its
        prescriber: versions, dispensing, codes, requests. Opening it is logged."""
        history = open_history(actor=request.user, prescription_id=pk)
        return Response(shapes.PrescriptionEventSerializer(timeline(history), many=True).data)


@extend_schema(tags=["prescriptions"])
class RefillRequestViewSet(viewsets.GenericViewSet[RefillRequest]):
    """Those you sent, as a patient, or received, as a doctor."""

    queryset = RefillRequest.objects.none()
    serializer_class = shapes.RefillRequestSerializer
    pagination_class = FeedPagination
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[RefillRequest]:
        return RefillRequest.objects.visible_to(self.request.user).with_people()

    @extend_schema(
        parameters=[OpenApiParameter("status", str, enum=RefillRequest.Status.values)],
        responses=shapes.RefillRequestSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """All of them, newest first; `status` keeps those of one."""
        query = valid(shapes.RefillQuerySerializer(data=request.query_params))
        page = self.paginate_queryset(self.get_queryset().filter(**query))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=shapes.DeclineRefillSerializer, responses=shapes.RefillRequestSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: UUID) -> Response:
        """Say no, and why. To say yes, issue a prescription with `refill_request_id`."""
        said = valid(shapes.DeclineRefillSerializer(data=request.data))
        declined = refills.decline_refill(actor=request.user, request_id=pk, **said)
        return Response(self.get_serializer(declined).data)

    @extend_schema(request=None, responses=shapes.RefillRequestSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Take it back, as the patient."""
        cancelled = refills.cancel_refill(actor=request.user, request_id=pk)
        return Response(self.get_serializer(cancelled).data)
