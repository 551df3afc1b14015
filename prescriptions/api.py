"""Prescriptions over REST."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.clock import clinic_date
from common.pagination import FeedPagination
from common.renderers import JSONRenderer
from common.serializers import StrictSerializer
from connections.models import Connection
from prescriptions import services
from prescriptions.models import Prescription
from prescriptions.pdf import PAPERS, pdf_response
from prescriptions.serializers import IssuePrescriptionSerializer, PrescriptionSerializer


class PDFRenderer(JSONRenderer):
    """Lets a client ask for a PDF. The sheet comes as a response of its own, so all that is
    ever rendered here is a problem."""

    media_type = "application/pdf"
    format = "pdf"


class PrintQuerySerializer(StrictSerializer):
    size = serializers.ChoiceField(choices=PAPERS, required=False)
    language = serializers.ChoiceField(choices=["en", "ar"], required=False)


class ActiveQuerySerializer(serializers.Serializer[Any]):
    is_active = serializers.BooleanField(required=False, allow_null=True, default=None)


@extend_schema(tags=["prescriptions"])
class PrescriptionViewSet(viewsets.GenericViewSet[Prescription]):
    """What was prescribed: to the patient all of theirs, to a doctor what they issued."""

    queryset = Prescription.objects.none()
    serializer_class = PrescriptionSerializer
    pagination_class = FeedPagination
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Prescription]:
        return Prescription.objects.visible_to(self.request.user).with_items()

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One prescription; opening it is logged."""
        found = services.open_prescription(actor=request.user, prescription_id=pk)
        return Response(self.get_serializer(found).data)

    @extend_schema(
        parameters=[OpenApiParameter("is_active", bool)],
        responses=PrescriptionSerializer(many=True),
    )
    @action(detail=False, url_path="my-prescriptions")
    def my_prescriptions(self, request: Request) -> Response:
        """Your own, newest first; `is_active` keeps those still valid, or those no longer."""
        query = ActiveQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        found = self.get_queryset().filter(patient_id=request.user.pk)
        is_active = query.validated_data["is_active"]
        if is_active is not None:
            today = clinic_date()
            found = found.active(today) if is_active else found.expired(today)  # type: ignore[attr-defined]
        return self._page(found)

    @extend_schema(responses=PrescriptionSerializer(many=True))
    @action(detail=False, url_path="patients/<uuid:patient_id>")
    def of_patient(self, request: Request, patient_id: UUID) -> Response:
        """Those of one patient that you may see."""
        found = self.get_queryset().filter(patient_id=patient_id)
        connected = Connection.objects.visible_to(request.user).filter(patient_id=patient_id)
        if not connected.exists():
            raise Http404
        return self._page(found)

    @extend_schema(
        parameters=[
            OpenApiParameter("size", str, enum=list(PAPERS)),
            OpenApiParameter("language", str, enum=["en", "ar"]),
        ],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    @action(detail=True, renderer_classes=[PDFRenderer, JSONRenderer])
    def pdf(self, request: Request, pk: UUID) -> HttpResponse:
        """The printable sheet, with the QR that proves it."""
        query = PrintQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        spoken: Literal["en", "ar"] = "ar" if get_language() == "ar" else "en"
        prescription, content = services.download_prescription(
            actor=request.user,
            prescription_id=pk,
            paper=query.validated_data.get("size", "A4"),
            language=query.validated_data.get("language", spoken),
        )
        return pdf_response(content, number=prescription.number)

    def _page(self, found: QuerySet[Prescription]) -> Response:
        page = self.paginate_queryset(found)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


@extend_schema(tags=["prescriptions"])
class ConnectionPrescriptionViewSet(viewsets.GenericViewSet[Prescription]):
    """The prescriptions of one connection."""

    queryset = Prescription.objects.none()
    serializer_class = PrescriptionSerializer
    pagination_class = FeedPagination

    def list(self, request: Request, connection_id: UUID) -> Response:
        """Newest first, for both sides."""
        if not Connection.objects.visible_to(request.user).filter(pk=connection_id).exists():
            raise Http404
        found = (
            Prescription.objects.visible_to(request.user)
            .with_items()
            .filter(connection_id=connection_id)
        )
        page = self.paginate_queryset(found)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=IssuePrescriptionSerializer, responses={201: PrescriptionSerializer})
    def create(self, request: Request, connection_id: UUID) -> Response:
        """Issue one. It cannot be changed afterwards."""
        data = IssuePrescriptionSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        issued = services.issue_prescription(
            actor=request.user, connection_id=connection_id, **data.validated_data
        )
        return Response(self.get_serializer(issued).data, status=status.HTTP_201_CREATED)
