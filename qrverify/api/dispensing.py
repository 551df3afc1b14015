"""Dispensing over REST, for a pharmacist without an account."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status, views
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from common.serializers import valid
from prescriptions.models import DispenseClaim
from prescriptions.services.claiming import Pharmacy, claim_prescription, return_prescription
from prescriptions.services.dispensing import dispense, withdraw_dispense
from qrverify.serializers import dispensing as shapes
from qrverify.services import dispensing as reading


class ForPharmacists(views.APIView):
    """Anyone: the pass or the claim's secret in the body is the authority."""

    authentication_classes: ClassVar = []
    permission_classes: ClassVar = [AllowAny]
    # The same limits as the pages'.
    throttle_rate = "30/m"
    throttle_group = "dispensing"


@extend_schema(tags=["dispensing"])
class OpenView(ForPharmacists):
    throttle_rate = "10/m"
    throttle_group = "dispensing-pin"

    @extend_schema(request=shapes.OpenSerializer, responses={200: shapes.OpenedSerializer})
    def post(self, request: Request) -> Response:
        """What a paper prescribes, by the patient's PIN, and a pass to claim it. A paper takes
        ten wrong PINs in its life; then only the patient can make a new one."""
        data = valid(shapes.OpenSerializer(data=request.data))
        return Response(shapes.OpenedSerializer(reading.open_paper(**data)).data)


@extend_schema(tags=["dispensing"])
class ClaimView(ForPharmacists):
    @extend_schema(request=shapes.ClaimSerializer, responses={201: shapes.HeldContentSerializer})
    def post(self, request: Request) -> Response:
        """Hold the prescription for two hours at most, so that nobody else dispenses it. While
        another holds it the answer is 409 `claimed` and names them. The patient is told."""
        data = valid(shapes.ClaimSerializer(data=request.data))
        passed, client_id = data.pop("passed"), data.pop("client_id")
        held = claim_prescription(passed=passed, pharmacy=Pharmacy(**data), client_id=client_id)
        return _held(held.claim, held.secret, status=status.HTTP_201_CREATED)


@extend_schema(tags=["dispensing"])
class ClaimReadView(ForPharmacists):
    @extend_schema(request=shapes.HeldSerializer, responses={200: shapes.HeldContentSerializer})
    def post(self, request: Request) -> Response:
        """Your claim as it stands."""
        secret = valid(shapes.HeldSerializer(data=request.data))["claim"]
        return _held(reading.read_claim(secret=secret), secret)


@extend_schema(tags=["dispensing"])
class ReturnView(ForPharmacists):
    @extend_schema(request=shapes.HeldSerializer, responses={200: shapes.HeldContentSerializer})
    def post(self, request: Request) -> Response:
        """Give the prescription back, so that another pharmacy can dispense the rest."""
        secret = valid(shapes.HeldSerializer(data=request.data))["claim"]
        return _held(return_prescription(secret=secret), secret)


@extend_schema(tags=["dispensing"])
class DispenseView(ForPharmacists):
    @extend_schema(request=shapes.DispenseSerializer, responses={200: shapes.HeldContentSerializer})
    def post(self, request: Request) -> Response:
        """Hand out so much of these items. What is wholly dispensed, refills included, is
        completed, and the claim is over. The patient is told."""
        data = valid(shapes.DispenseSerializer(data=request.data))
        secret = data["claim"]
        claim = dispense(secret=secret, lines=data["lines"], client_id=data["client_id"])
        return _held(claim, secret)


@extend_schema(tags=["dispensing"])
class WithdrawView(ForPharmacists):
    @extend_schema(request=shapes.WithdrawSerializer, responses={200: shapes.HeldContentSerializer})
    def post(self, request: Request) -> Response:
        """Take back what you handed out within the last hour; also after the claim."""
        data = valid(shapes.WithdrawSerializer(data=request.data))
        secret = data["claim"]
        claim = withdraw_dispense(secret=secret, dispense_id=data["dispense_id"])
        return _held(claim, secret)


def _held(claim: DispenseClaim, secret: str, **options: Any) -> Response:
    shape = shapes.HeldContentSerializer(reading.held_content(claim), context={"secret": secret})
    return Response(shape.data, **options)
