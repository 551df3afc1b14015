"""What pharmacies do with a prescription, to its patient, over REST."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import views
from rest_framework.request import Request
from rest_framework.response import Response

from prescriptions.models import Prescription
from prescriptions.serializers.orders import PrescriptionSerializer
from prescriptions.services.disputing import dispute_claim


@extend_schema(tags=["prescriptions"])
class DisputeView(views.APIView):
    @extend_schema(request=None, responses=PrescriptionSerializer)
    def post(self, request: Request, pk: UUID, claim_id: UUID) -> Response:
        """You were in no pharmacy: the claim ends, the paper gets another code and PIN, and
        administrators are asked to look into it."""
        disputed = dispute_claim(actor=request.user, prescription_id=pk, claim_id=claim_id)
        found = Prescription.objects.with_course().get(pk=disputed.pk)
        shape = PrescriptionSerializer(found, context={"reader": request.user})
        return Response(shape.data)
