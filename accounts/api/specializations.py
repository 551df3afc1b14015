"""The catalogue of specialties over REST: anyone reads it, administrators write it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.authentication import BaseAuthentication
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import session_of
from accounts.permissions import MayAdminister
from accounts.serializers.directory import (
    ListedDoctorSerializer,
    PopularSerializer,
    SpecializationDetailSerializer,
)
from accounts.services import specializations as catalogue
from accounts.services.directory import Search, find_doctors
from common.serializers import valid
from specializations.models import Specialization
from specializations.serializers import (
    AddSpecializationSerializer,
    ChangeSpecializationSerializer,
    PractisedSpecializationSerializer,
    SpecializationSerializer,
)

SHOWN = 20


@extend_schema(tags=["specializations"])
class SpecializationViewSet(viewsets.GenericViewSet[Specialization]):
    """The specialties on offer."""

    queryset = Specialization.objects.none()
    serializer_class = PractisedSpecializationSerializer
    pagination_class = None
    lookup_value_converter = "uuid"

    def get_authenticators(self) -> list[BaseAuthentication]:
        """A token sent along with a public read is not even looked at."""
        return [] if self._is_read() else super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self._is_read() else [MayAdminister()]

    def list(self, request: Request) -> Response:
        """All of them, each with how many doctors practise it."""
        found = catalogue.offered_specializations()
        return Response(self.get_serializer(found, many=True).data)

    @extend_schema(
        parameters=[PopularSerializer], responses=PractisedSpecializationSerializer(many=True)
    )
    @action(detail=False)
    def popular(self, request: Request) -> Response:
        """Those with the most doctors."""
        wanted = valid(PopularSerializer(data=request.query_params.dict()))
        found = catalogue.popular_specializations(wanted["limit"])
        return Response(self.get_serializer(found, many=True).data)

    @extend_schema(responses=SpecializationDetailSerializer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One of them, with the first of its doctors."""
        found = catalogue.offered_specialization(pk)
        page = find_doctors(Search(specialization=found), size=SHOWN)
        url = request.build_absolute_uri(reverse("api-doctor-list"))
        return Response(
            {
                **self.get_serializer(found).data,
                "doctors": ListedDoctorSerializer(page.doctors, many=True).data,
                "doctors_url": f"{url}?specialization={found.code}",
            }
        )

    @extend_schema(request=AddSpecializationSerializer, responses={201: SpecializationSerializer})
    def create(self, request: Request) -> Response:
        """Offer a new one to doctors."""
        data = valid(AddSpecializationSerializer(data=request.data))
        added = catalogue.add_specialization(
            session=session_of(request), specialization=Specialization(**data)
        )
        return Response(SpecializationSerializer(added).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ChangeSpecializationSerializer, responses=SpecializationSerializer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Change what it is called, retire it, or offer it again."""
        data = valid(ChangeSpecializationSerializer(data=request.data))
        changed = catalogue.change_specialization(
            session=session_of(request), specialization_id=pk, changes=data
        )
        return Response(SpecializationSerializer(changed).data)

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Take away one that no doctor has."""
        catalogue.delete_specialization(session=session_of(request), specialization_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _is_read(self) -> bool:
        request: Any = self.request
        return request is not None and request.method in SAFE_METHODS
