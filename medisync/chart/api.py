"""The chart over REST: at the address of its patient, as the preview of a grant, as a file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import session_of
from accounts.api.users import UserViewSet
from accounts.permissions import IsActiveAccount
from accounts.policies import check_may_administer
from accounts.serializers.users import AccountDetailSerializer
from common.languages import spoken
from common.renderers import JSONRenderer, PDFRenderer
from common.serializers import valid
from connections.api.grants import GrantViewSet
from medisync.chart.paper import download_summary, summary_response
from medisync.chart.reading import open_chart, preview_grant
from medisync.chart.serializers import (
    ChartSerializer,
    LanguageSerializer,
    LinkSerializer,
    shown,
)
from medisync.links import link_to_prescription, link_to_summary
from prescriptions.api.orders import PrescriptionViewSet, PrintQuerySerializer

LANGUAGE = OpenApiParameter("language", str, enum=["en", "ar"])
OF_DOCTORS = frozenset({"retrieve", "summary", "summary_link"})


@extend_schema(tags=["users"])
class PersonViewSet(UserViewSet):
    """Every account, to administrators; to a doctor the charts of those who let them see."""

    def get_permissions(self) -> list[Any]:
        return [IsActiveAccount()] if self.action in OF_DOCTORS else [*super().get_permissions()]

    @extend_schema(
        responses=PolymorphicProxySerializer(
            component_name="AccountOrChart",
            serializers=[AccountDetailSerializer, ChartSerializer],
            resource_type_field_name=None,
        )
    )
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """To an administrator the account; to a doctor what the patient lets them see. Either
        reading is logged."""
        if request.user.is_staff:
            check_may_administer(session_of(request))
            return super().retrieve(request, pk=pk)
        chart = open_chart(doctor=request.user, patient_id=pk)
        return Response(shown(chart))

    @extend_schema(parameters=[LANGUAGE], responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, renderer_classes=[PDFRenderer, JSONRenderer])
    def summary(self, request: Request, pk: UUID) -> HttpResponse:
        """What the patient lets you see, to be printed."""
        query = valid(LanguageSerializer(data=request.query_params))
        language = query.get("language", spoken())
        content = download_summary(doctor=request.user, patient_id=pk, language=language)
        return summary_response(content)

    @extend_schema(request=LanguageSerializer, responses={201: LinkSerializer})
    @action(detail=True, methods=["post"], url_path="summary-link")
    def summary_link(self, request: Request, pk: UUID) -> Response:
        """An address for five minutes, for apps that open files elsewhere. It stops at once
        when you sign out, or when the patient takes the access back."""
        wanted = valid(LanguageSerializer(data=request.data))
        link = link_to_summary(
            session=session_of(request), patient_id=pk, language=wanted.get("language", spoken())
        )
        return Response(LinkSerializer(link).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["grants"])
class PreviewableGrantViewSet(GrantViewSet):
    @extend_schema(responses=ChartSerializer)
    @action(detail=True)
    def preview(self, request: Request, pk: UUID) -> Response:
        """Exactly what the doctor sees by it, to the patient who gave it."""
        chart = preview_grant(actor=request.user, grant_id=pk)
        return Response(shown(chart))


@extend_schema(tags=["prescriptions"])
class LinkedPrescriptionViewSet(PrescriptionViewSet):
    @extend_schema(request=PrintQuerySerializer, responses={201: LinkSerializer})
    @action(detail=True, methods=["post"], url_path="pdf-link")
    def pdf_link(self, request: Request, pk: UUID) -> Response:
        """An address of its PDF for five minutes, for apps that open files elsewhere."""
        wanted = valid(PrintQuerySerializer(data=request.data))
        link = link_to_prescription(
            session=session_of(request),
            prescription_id=pk,
            paper=wanted.get("size", "A4"),
            language=wanted.get("language", spoken()),
        )
        return Response(LinkSerializer(link).data, status=status.HTTP_201_CREATED)
