"""Prescriptions over REST."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Language
from common.clock import clinic_date
from common.languages import spoken
from common.pagination import FeedPagination
from common.renderers import JSONRenderer, PDFRenderer
from common.serializers import StrictSerializer, valid, valid_query
from prescriptions.findings import spoken_report
from prescriptions.models import Prescription, PrescriptionQuerySet, StopReason
from prescriptions.pdf import PAPERS, pdf_response
from prescriptions.rates import CHECK_GROUP, CHECK_RATE
from prescriptions.serializers.orders import (
    CheckSerializer,
    IssuePrescriptionSerializer,
    OrderSerializer,
    PrescriptionSerializer,
    ReportSerializer,
    StopSerializer,
)
from prescriptions.services import amending, issuing, reading, stopping

IS_ACTIVE = OpenApiParameter("is_active", bool)


class PrintQuerySerializer(StrictSerializer):
    size = serializers.ChoiceField(choices=PAPERS, required=False)
    language = serializers.ChoiceField(choices=Language.choices, required=False)


class ActiveQuerySerializer(StrictSerializer):
    is_active = serializers.BooleanField(required=False, allow_null=True, default=None)


class BasePrescriptionViewSet(viewsets.GenericViewSet[Prescription]):
    queryset = Prescription.objects.none()
    serializer_class = PrescriptionSerializer
    pagination_class = FeedPagination
    throttle_group = CHECK_GROUP
    # What is sent there goes through the safety check, and the answer says what was found.
    checks_in: ClassVar[str] = ""

    @property
    def throttle_rate(self) -> str | None:
        return CHECK_RATE if self.action == self.checks_in else None

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "reader": self.request.user}

    def _answer(self, prescription: Prescription, **options: Any) -> Response:
        """One prescription, as it stands now; whoever asks has it already."""
        found = Prescription.objects.with_course().get(pk=prescription.pk)
        return Response(self.get_serializer(found).data, **options)

    def _listed(self, found: PrescriptionQuerySet) -> Response:
        """A list; `is_active` keeps those still in force, or those no longer."""
        is_active = valid_query(self.request, ActiveQuerySerializer)["is_active"]
        if is_active is not None:
            today = clinic_date()
            reader = self.request.user
            found = found.active(today, reader) if is_active else found.past(today, reader)
        return self._page(found)

    def _page(self, found: PrescriptionQuerySet) -> Response:
        page = self.paginate_queryset(found.with_course())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


@extend_schema(tags=["prescriptions"])
class PrescriptionViewSet(BasePrescriptionViewSet):
    """What was prescribed: to the patient all of theirs, to a doctor what they issued and what
    a patient lets them see."""

    lookup_value_converter = "uuid"
    checks_in: ClassVar[str] = "update"

    def get_queryset(self) -> QuerySet[Prescription]:
        return Prescription.objects.visible_to(self.request.user).with_course()

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One prescription; opening it is logged."""
        found = reading.open_prescription(actor=request.user, prescription_id=pk)
        return self._answer(found)

    @extend_schema(request=OrderSerializer, responses=PrescriptionSerializer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Issue another version in its place; the answer is the new one. Once anything was
        dispensed, and while a pharmacy holds it, it is refused."""
        data = valid(OrderSerializer(data=request.data))
        amended = amending.amend_prescription(
            actor=request.user, prescription_id=pk, order=data["order"]
        )
        return self._answer(amended)

    @extend_schema(request=StopSerializer, responses=PrescriptionSerializer)
    @action(detail=True, methods=["put"])
    def deactivate(self, request: Request, pk: UUID) -> Response:
        """Stop it, for a reason. While a pharmacy holds it, stopping is asked for, and it is
        stopped when the pharmacy gives it back."""
        data = valid(StopSerializer(data=request.data))
        stopped = stopping.stop_prescription(
            actor=request.user,
            prescription_id=pk,
            reason=StopReason(data["reason"]),
            note=data.get("note", ""),
        )
        return self._answer(stopped)

    @extend_schema(responses=PrescriptionSerializer(many=True))
    @action(detail=True)
    def versions(self, request: Request, pk: UUID) -> Response:
        """All that was ever issued under its number, the newest first; that you looked is
        logged once."""
        valid_query(request, StrictSerializer)
        with transaction.atomic():
            return self._page(reading.open_versions(actor=request.user, prescription_id=pk))

    @extend_schema(parameters=[IS_ACTIVE], responses=PrescriptionSerializer(many=True))
    @action(detail=False, url_path="my-prescriptions")
    def my_prescriptions(self, request: Request) -> Response:
        """Your own in their last version, newest first."""
        mine = Prescription.objects.visible_to(request.user).current()
        return self._listed(mine.filter(patient_id=request.user.pk))

    @extend_schema(parameters=[IS_ACTIVE], responses=PrescriptionSerializer(many=True))
    @action(detail=False, url_path="patients/<uuid:patient_id>")
    def of_patient(self, request: Request, patient_id: UUID) -> Response:
        """Those of one patient that you may see. A doctor's look through them is logged."""
        with transaction.atomic():
            return self._listed(reading.list_of_patient(actor=request.user, patient_id=patient_id))

    @extend_schema(
        parameters=[
            OpenApiParameter("size", str, enum=list(PAPERS)),
            OpenApiParameter("language", str, enum=["en", "ar"]),
        ],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    @action(detail=True, renderer_classes=[PDFRenderer, JSONRenderer])
    def pdf(self, request: Request, pk: UUID) -> HttpResponse:
        """The printable sheet, with the QR that proves it; for a doctor who reads it by the
        patient's grant, or has parted from the patient, a copy without. That of one that was
        stopped, replaced or written by mistake says so, and has none."""
        query = valid(PrintQuerySerializer(data=request.query_params))
        prescription, content = reading.download_prescription(
            actor=request.user,
            prescription_id=pk,
            paper=query.get("size", "A4"),
            language=query.get("language", spoken()),
        )
        return pdf_response(content, number=prescription.number)


@extend_schema(tags=["prescriptions"])
class ConnectionPrescriptionViewSet(BasePrescriptionViewSet):
    """The prescriptions of one connection."""

    checks_in: ClassVar[str] = "create"

    @extend_schema(parameters=[IS_ACTIVE])
    def list(self, request: Request, connection_id: UUID) -> Response:
        """Newest first, for both sides. A doctor's look through them is logged."""
        with transaction.atomic():
            return self._listed(
                reading.list_of_connection(actor=request.user, connection_id=connection_id)
            )

    @extend_schema(request=IssuePrescriptionSerializer, responses={201: PrescriptionSerializer})
    def create(self, request: Request, connection_id: UUID) -> Response:
        """Issue one. Where the safety check finds something that `override_warnings` does not
        name, the answer is 409 `safety_warnings`, and holds the check's `warnings` and
        `unchecked` names."""
        data = valid(IssuePrescriptionSerializer(data=request.data))
        issued = issuing.issue_prescription(
            actor=request.user,
            connection_id=connection_id,
            order=data["order"],
            refill_request_id=data.get("refill_request_id"),
        )
        return self._answer(issued, status=status.HTTP_201_CREATED)


@extend_schema(tags=["prescriptions"])
class CheckView(APIView):
    throttle_rate = CHECK_RATE
    throttle_group = CHECK_GROUP

    @extend_schema(request=CheckSerializer, responses=ReportSerializer)
    def post(self, request: Request, connection_id: UUID) -> Response:
        """What the safety check says of an order, without issuing it. What it would replace, or
        prescribe again, is compared with nothing. The patient sees in their access log that it
        was made."""
        data = valid(CheckSerializer(data=request.data))
        report = issuing.preview_safety(actor=request.user, connection_id=connection_id, **data)
        return Response(spoken_report(report, spoken()))
