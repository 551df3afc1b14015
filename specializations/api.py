"""Public reads of the catalogue."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.permissions import AllowAny

from specializations.models import Specialization
from specializations.serializers import SpecializationSerializer


@extend_schema(tags=["specializations"])
class SpecializationViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Specialization]
):
    """The specialties on offer; anyone may read them."""

    queryset = Specialization.objects.offered()
    serializer_class = SpecializationSerializer
    permission_classes: ClassVar = [AllowAny]
    authentication_classes: ClassVar = []
    pagination_class = None
    lookup_value_converter = "uuid"
