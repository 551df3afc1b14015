"""Emergency cards over REST: the patient's own, and opening one."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status, views, viewsets
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import session_of
from common.files import download_png, show_pdf
from common.languages import spoken
from common.pagination import FeedPagination
from common.renderers import JSONRenderer, PDFRenderer, PNGRenderer
from common.serializers import valid, valid_query
from qrverify import payloads
from qrverify.emergency_paper import SIZES, render_wallet_card, render_wallpaper
from qrverify.models import EmergencyCard, EmergencyScan
from qrverify.serializers import emergency as shapes
from qrverify.services import emergency as services
from qrverify.services.emergency_content import emergency_content


@extend_schema(tags=["emergency card"])
class EmergencyCardView(views.APIView):
    @extend_schema(responses=shapes.EmergencyCardSerializer)
    def get(self, request: Request) -> Response:
        """Your card, as it reads now, with what waits to be confirmed."""
        return _shown(services.own_card(actor=request.user))

    @extend_schema(request=shapes.CardChoiceSerializer, responses=shapes.EmergencyCardSerializer)
    def put(self, request: Request) -> Response:
        """Choose what your card shows; the first time, it is made. What is new on it is seen by
        nobody until you confirm it. By someone who has just confirmed that it is them."""
        choice = valid(shapes.CardChoiceSerializer(data=request.data))
        return _shown(services.set_card(session=session_of(request), choice=choice))

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        """Withdraw your card. It opens nothing any more, wherever it is printed."""
        services.revoke_card(actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["emergency card"])
class ConfirmView(views.APIView):
    @extend_schema(request=shapes.ConfirmFieldsSerializer, responses=shapes.EmergencyCardSerializer)
    def post(self, request: Request) -> Response:
        """Say that fields are right as you read them. A responder sees when you did."""
        seen = valid(shapes.ConfirmFieldsSerializer(data=request.data))
        return _shown(services.confirm_fields(actor=request.user, seen=seen))


@extend_schema(tags=["emergency card"])
class ReissueView(views.APIView):
    @extend_schema(
        request=shapes.ReissueCardSerializer, responses={201: shapes.EmergencyCardSerializer}
    )
    def post(self, request: Request) -> Response:
        """The same card under another address, where the one before was lost: that one opens
        nothing any more. By someone who has just confirmed that it is them."""
        named = valid(shapes.ReissueCardSerializer(data=request.data))
        card = services.reissue_card(session=session_of(request), card_id=named["card_id"])
        return _shown(card, status=status.HTTP_201_CREATED)


@extend_schema(tags=["emergency card"])
class ScanViewSet(viewsets.GenericViewSet[EmergencyScan]):
    queryset = EmergencyScan.objects.none()
    serializer_class = shapes.EmergencyScanSerializer
    pagination_class = FeedPagination

    def get_queryset(self) -> QuerySet[EmergencyScan]:
        return services.openings(actor=self.request.user)

    def list(self, request: Request) -> Response:
        """Who opened your card, newest first, also those from before it was made anew."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


@extend_schema(tags=["emergency card"])
class WalletView(views.APIView):
    renderer_classes: ClassVar = [PDFRenderer, JSONRenderer]

    @extend_schema(
        parameters=[shapes.PrintCardSerializer],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponse:
        """A sheet of A4 with the card to cut out and fold; the card is in both languages."""
        query = valid_query(request, shapes.PrintCardSerializer)
        card = services.own_card(actor=request.user)
        content = render_wallet_card(
            services.printed(card), language=query.get("language", spoken())
        )
        return show_pdf(content, name="emergency-card.pdf")


@extend_schema(tags=["emergency card"])
class WallpaperView(views.APIView):
    renderer_classes: ClassVar = [PNGRenderer, JSONRenderer]

    @extend_schema(
        parameters=[shapes.WallpaperSizeSerializer],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponse:
        """A picture for the locked screen of a phone."""
        size = valid_query(request, shapes.WallpaperSizeSerializer).get("size", SIZES[0])
        card = services.own_card(actor=request.user)
        content = render_wallpaper(services.printed(card), size=size)
        return download_png(content, name=f"emergency-{size}.png")


@extend_schema(tags=["emergency card"])
class OpenView(views.APIView):
    """For a responder without an account."""

    authentication_classes: ClassVar = []
    permission_classes: ClassVar = [AllowAny]
    throttle_rate = "10/m"
    throttle_group = "emergency-open"

    @extend_schema(request=shapes.OpenCardSerializer, responses={200: shapes.OpenedCardSerializer})
    def post(self, request: Request) -> Response:
        """Read a card that you hold. It is logged, and its owner and their contacts are told."""
        said = valid(shapes.OpenCardSerializer(data=request.data))
        scanned = payloads.read(said.pop("token"), attr="token")
        opened = services.open_card(secret=scanned.secret, **said)
        answer = Response(shapes.OpenedCardSerializer(opened).data)
        answer["Cache-Control"] = "no-store"
        return answer


def _shown(card: EmergencyCard, **options: Any) -> Response:
    content = emergency_content(card, timezone.now())
    return Response(shapes.EmergencyCardSerializer(content).data, **options)
