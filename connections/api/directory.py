"""The directory over REST: doctors in good standing, for whoever is in good standing."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.models import DoctorProfile
from accounts.serializers import directory as shapes
from accounts.services.directory import Search, find_doctors
from common.serializers import valid


@extend_schema(tags=["doctors"])
class DirectoryViewSet(viewsets.GenericViewSet[DoctorProfile]):
    """Doctors to be found; what is told is their practice."""

    queryset = DoctorProfile.objects.none()
    serializer_class = shapes.DirectoryDoctorSerializer
    pagination_class = None
    lookup_field = "user_id"
    lookup_url_kwarg = "pk"
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[DoctorProfile]:
        return DoctorProfile.objects.listed()

    @extend_schema(
        parameters=[shapes.DirectoryPageSerializer],
        responses=forced_singular_serializer(shapes.DoctorPageSerializer),  # type: ignore[no-untyped-call]
    )
    def list(self, request: Request) -> Response:
        """The best first where there is text, else the newest. Fees are in EGP."""
        wanted = valid(shapes.DirectoryPageSerializer(data=request.query_params.dict()))
        cursor, size = wanted.pop("cursor", ""), wanted.pop("limit")
        search = Search(text=wanted.pop("search", ""), **wanted)
        found = find_doctors(search, cursor=cursor, size=size)
        address = request.build_absolute_uri()
        return Response(
            {
                "results": shapes.ListedDoctorSerializer(found.doctors, many=True).data,
                "next": replace_query_param(address, "cursor", found.next) if found.next else None,
            }
        )

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One doctor's practice."""
        return Response(self.get_serializer(self.get_object()).data)
