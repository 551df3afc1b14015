"""The secrets of a prescription's paper over REST."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import views
from rest_framework.request import Request
from rest_framework.response import Response

from common.serializers import valid
from prescriptions.models import Prescription
from prescriptions.serializers.codes import ReissueSerializer
from prescriptions.serializers.orders import PrescriptionSerializer
from prescriptions.services.codes import reissue_code


@extend_schema(tags=["prescriptions"])
class CodeView(views.APIView):
    @extend_schema(request=ReissueSerializer, responses=PrescriptionSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Another QR code and another PIN for your prescription, because the paper was lost or
        its PIN guessed at. Nobody begins to dispense by what was printed before. With
        `code_made_at`, sending it twice makes one: the second is told `code_replaced`."""
        said = valid(ReissueSerializer(data=request.data))
        reissued = reissue_code(actor=request.user, prescription_id=pk, **said)
        found = Prescription.objects.with_course().get(pk=reissued.pk)
        shown = PrescriptionSerializer(found, context={"reader": request.user})
        return Response(shown.data)
