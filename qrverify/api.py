"""QR codes over REST, and verification for anyone."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, views, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from common.qr import qr_png_data_uri, qr_svg
from qrverify import serializers as shapes
from qrverify import services
from qrverify.models import QrToken


def _valid(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data  # type: ignore[no-any-return]


@extend_schema(tags=["qr"])
class QrViewSet(viewsets.GenericViewSet[QrToken]):
    queryset = QrToken.objects.none()
    serializer_class = shapes.TokenSerializer
    pagination_class = None
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[QrToken]:
        return QrToken.objects.visible_to(self.request.user).usable(timezone.now())

    @extend_schema(request=shapes.GenerateSerializer, responses={201: shapes.ShownTokenSerializer})
    @action(detail=False, methods=["post"])
    def generate(self, request: Request) -> Response:
        """A doctor's invitation to connect."""
        data = _valid(shapes.GenerateSerializer(data=request.data))
        minutes = data.get("expiry_minutes")
        lasts = dt.timedelta(minutes=minutes) if minutes else QrToken.DEFAULT
        shown = services.issue_connection_token(actor=request.user, lasts=lasts)
        images = {"svg": qr_svg(shown.url), "png": qr_png_data_uri(shown.url)}
        answer = shapes.ShownTokenSerializer(
            {"token": shown.token, "secret": shown.secret, "code": shown.code, "url": shown.url}
            | images
        )
        return Response(answer.data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=shapes.TokenSerializer(many=True))
    @action(detail=False)
    def active(self, request: Request) -> Response:
        """Your codes that still work."""
        return Response(self.get_serializer(self.get_queryset()[:100], many=True).data)

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Withdraw a code."""
        services.revoke_token(actor=request.user, token_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["qr"])
class ScanView(views.APIView):
    throttle_rate = "10/m"
    throttle_group = "qr-scan"

    @extend_schema(request=shapes.ScanSerializer, responses={200: shapes.ScanAnswerSerializer})
    def post(self, request: Request) -> Response:
        """See who a code is from; with `confirm`, connect."""
        data = _valid(shapes.ScanSerializer(data=request.data))
        if data.get("confirm"):
            made = services.redeem_token(actor=request.user, scanned=data["token"])
            answer: dict[str, Any] = {"doctor": made.doctor, "connection": made}
        else:
            token = services.find_token(actor=request.user, scanned=data["token"])
            answer = {"doctor": token.issuer, "connection": None}
        return Response(shapes.ScanAnswerSerializer(answer).data)


@extend_schema(tags=["qr"])
class ValidateView(views.APIView):
    throttle_rate = "10/m"
    throttle_group = "qr-scan"

    @extend_schema(request=shapes.ValidateSerializer, responses={200: shapes.TokenSerializer})
    def post(self, request: Request) -> Response:
        """The state of a code, without using it."""
        data = _valid(shapes.ValidateSerializer(data=request.data))
        token = services.look_up_token(scanned=data["token"])
        return Response(shapes.TokenSerializer(token).data)


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
        data = _valid(shapes.VerifySerializer(data=request.data))
        found = services.verify_prescription(**data)
        return Response(shapes.VerificationSerializer(found).data)
