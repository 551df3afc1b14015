"""Verification over REST, for anyone."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import views
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from common.serializers import valid
from qrverify.serializers import verification as shapes
from qrverify.services import verification as services


@extend_schema(tags=["qr"])
class VerifyView(views.APIView):
    """For a pharmacist without an account."""

    authentication_classes: ClassVar = []
    permission_classes: ClassVar = [AllowAny]
    throttle_rate = "30/m"
    throttle_group = "verify"

    @extend_schema(request=shapes.VerifySerializer, responses={200: shapes.VerificationSerializer})
    def post(self, request: Request) -> Response:
        """Is this paper one of ours, unaltered, and still valid? The three values are in its
        QR code. What was prescribed is not in the answer; it is on the paper."""
        data = valid(shapes.VerifySerializer(data=request.data))
        found = services.verify_prescription(**data)
        return Response(shapes.VerificationSerializer(found).data)
