"""A patient's own lists over REST."""

from __future__ import annotations

from typing import Any, ClassVar, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import (
    AllergyIntolerance,
    Condition,
    EmergencyContact,
    HealthEntry,
    MedicationStatement,
)
from accounts.serializers import health as shapes
from accounts.services import health
from common.serializers import valid


class HealthListViewSet(viewsets.GenericViewSet[Any]):
    """One list; the subclasses say which."""

    model: ClassVar[type[HealthEntry]]
    pagination_class = None

    def list(self, request: Request) -> Response:
        """All of your list."""
        entries = self.model.objects.of(request.user)
        return Response(self.get_serializer(entries, many=True).data)

    def create(self, request: Request) -> Response:
        """Add to your list."""
        values = self._valid(request)
        entry = health.add_entry(actor=request.user, kind=self.model, values=values)
        return Response(self.get_serializer(entry).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Correct a line of your list."""
        changes = self._valid(request, partial=True)
        entry = health.update_entry(
            actor=request.user, kind=self.model, entry_id=pk, changes=changes
        )
        return Response(self.get_serializer(entry).data)

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Take a line off your list."""
        health.remove_entry(actor=request.user, kind=self.model, entry_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _valid(self, request: Request, *, partial: bool = False) -> dict[str, Any]:
        shape = self.get_serializer(data=request.data, partial=partial)
        values: dict[str, Any] = valid(cast("serializers.Serializer[Any]", shape))
        return values


@extend_schema(tags=["health"])
class AllergyViewSet(HealthListViewSet):
    model = AllergyIntolerance
    queryset = AllergyIntolerance.objects.none()
    serializer_class = shapes.AllergySerializer


@extend_schema(tags=["health"])
class ConditionViewSet(HealthListViewSet):
    model = Condition
    queryset = Condition.objects.none()
    serializer_class = shapes.ConditionSerializer


@extend_schema(tags=["health"])
class MedicationViewSet(HealthListViewSet):
    model = MedicationStatement
    queryset = MedicationStatement.objects.none()
    serializer_class = shapes.MedicationSerializer


@extend_schema(tags=["health"])
class EmergencyContactViewSet(HealthListViewSet):
    model = EmergencyContact
    queryset = EmergencyContact.objects.none()
    serializer_class = shapes.EmergencyContactSerializer
