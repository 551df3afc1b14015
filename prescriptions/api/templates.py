"""A doctor's templates over REST."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role
from accounts.policies import check_is_active
from common.serializers import valid
from prescriptions.models import PrescriptionTemplate
from prescriptions.serializers.templates import TemplateInputSerializer, TemplateSerializer
from prescriptions.services.templates import delete_template, save_template


@extend_schema(tags=["prescriptions"])
class TemplateViewSet(viewsets.GenericViewSet[PrescriptionTemplate]):
    """What you prescribe often: medicines and notes under a name, of no patient. A hundred at
    most."""

    queryset = PrescriptionTemplate.objects.none()
    serializer_class = TemplateSerializer
    pagination_class = None
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[PrescriptionTemplate]:
        return PrescriptionTemplate.objects.visible_to(self.request.user)

    def list(self, request: Request) -> Response:
        """All of yours, by name."""
        check_is_active(request.user, role=Role.DOCTOR)
        return Response(self.get_serializer(self.get_queryset(), many=True).data)

    @extend_schema(request=TemplateInputSerializer, responses={201: TemplateSerializer})
    def create(self, request: Request) -> Response:
        """Keep another."""
        data = valid(TemplateInputSerializer(data=request.data))
        template = save_template(actor=request.user, **data)
        return Response(self.get_serializer(template).data, status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One of yours."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=TemplateInputSerializer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Put this in its place."""
        data = valid(TemplateInputSerializer(data=request.data))
        template = save_template(actor=request.user, template_id=pk, **data)
        return Response(self.get_serializer(template).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """What was issued from it stays."""
        delete_template(actor=request.user, template_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)
