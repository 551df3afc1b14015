"""Showing and scanning QR codes over REST."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status, views, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import session_of
from accounts.permissions import MayAdminister
from common.qr import qr_png_data_uri, qr_svg
from common.serializers import valid
from connections.api.base import naming_share
from connections.services.grants import NOTHING
from qrverify.payloads import Kind
from qrverify.serializers import tokens as shapes
from qrverify.services import codes, tokens


@extend_schema(tags=["qr"])
class QrViewSet(viewsets.ViewSet):
    """Your codes, of all kinds."""

    lookup_value_converter = "uuid"

    @extend_schema(request=shapes.GenerateSerializer, responses={201: shapes.ShownCodeSerializer})
    @action(detail=False, methods=["post"])
    def generate(self, request: Request) -> Response:
        """A doctor's invitation to connect, or a patient's new code for a prescription or for
        the emergency card, which takes the place of the one before; that of the card is made by
        someone who has just confirmed that it is them. Keep what it says: the secrets of an
        invitation are in no later answer."""
        wanted = valid(shapes.GenerateSerializer(data=request.data))
        shown = codes.make_code(session=session_of(request), **wanted)
        images = {"svg": qr_svg(shown.url), "png": qr_png_data_uri(shown.url)}
        facts = {name: getattr(shown, name) for name in ("code", "secret", "typed", "pin", "url")}
        answer = shapes.ShownCodeSerializer(facts | images)
        return Response(answer.data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=shapes.QrCodeSerializer(many=True))
    @action(detail=False)
    def active(self, request: Request) -> Response:
        """Your codes that still work, newest first of each kind."""
        found = codes.active_codes(actor=request.user)
        return Response(shapes.QrCodeSerializer(found, many=True).data)

    @extend_schema(request=None, responses=shapes.CleanedUpSerializer)
    @action(detail=False, methods=["post"], permission_classes=[MayAdminister])
    def cleanup(self, request: Request) -> Response:
        """Forget the codes that ended more than a week ago, now instead of within the hour."""
        deleted = tokens.clean_up(session=session_of(request))
        return Response(shapes.CleanedUpSerializer({"deleted": deleted}).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Withdraw a code, at once. A prescription stays in force: its paper has to be printed
        anew, with another PIN. An emergency card opens nothing any more."""
        codes.revoke_code(actor=request.user, code_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TryingView(views.APIView):
    """Where codes could be guessed at."""

    throttle_rate: ClassVar[str] = "10/m"
    throttle_group: ClassVar[str] = "qr-scan"


@extend_schema(tags=["qr"])
class ScanView(TryingView):
    @extend_schema(request=shapes.ScanSerializer, responses={200: shapes.ScanAnswerSerializer})
    def post(self, request: Request) -> Response:
        """See who a code is from; with `confirm`, connect, and let the doctor see what `share`
        says. Without it nothing is shared. The doctor sees at once that you look. A code of
        another kind connects nobody, and says what it is."""
        data = valid(shapes.ScanSerializer(data=request.data))
        shape = shapes.ScanAnswerSerializer(
            _scanned(request.user, data), context={"viewer": request.user}
        )
        return Response(shape.data)


@extend_schema(tags=["qr"])
class ValidateView(TryingView):
    @extend_schema(request=shapes.ValidateSerializer, responses={200: shapes.QrCodeSerializer})
    def post(self, request: Request) -> Response:
        """The state of a code of any kind, without using it."""
        data = valid(shapes.ValidateSerializer(data=request.data))
        found = codes.state_of_code(scanned=data["token"])
        return Response(shapes.QrCodeSerializer(found).data)


def _scanned(actor: Any, data: dict[str, Any]) -> dict[str, Any]:
    answer = {"type": Kind.CONNECTION, "detail": None, "url": None, "connection": None}
    try:
        if not data.get("confirm"):
            found = tokens.find_token(actor=actor, scanned=data["token"])
            return answer | {"doctor": found.issuer}
        with naming_share():
            made = tokens.redeem_token(
                actor=actor, scanned=data["token"], sharing=data.get("share", NOTHING)
            )
        return answer | {"doctor": made.doctor, "connection": made}
    except tokens.OtherKind as other:
        told = other.payload
        return answer | {
            "type": told.kind, "detail": told.purpose, "url": told.url, "doctor": None,
        }  # fmt: skip
