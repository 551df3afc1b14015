"""Health cards over REST."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status, views
from rest_framework.request import Request
from rest_framework.response import Response

from qrverify.serializers.cards import HealthCardSerializer
from qrverify.services import cards
from qrverify.services.cards import SignedCard
from qrverify.smart.chunks import chunk_png_data_uri, chunk_svg


@extend_schema(tags=["prescriptions"])
class HealthCardView(views.APIView):
    @extend_schema(responses=HealthCardSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """The health card of your prescription, if you have made one and it is active still."""
        _prescription, signed = cards.shown_card(actor=request.user, prescription_id=pk)
        if signed is None:
            raise Http404
        return Response(_shape(signed))

    @extend_schema(request=None, responses={201: HealthCardSerializer, 200: HealthCardSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Make a health card of your active prescription: a signed copy that can be checked
        without a network. Made once, it is the same card every time (200)."""
        signed, is_new = cards.issue_card(actor=request.user, prescription_id=pk)
        made = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(_shape(signed), status=made)


def _shape(signed: SignedCard) -> Any:
    chunks = signed.chunks
    return HealthCardSerializer(
        {
            "card": signed.card,
            "jws": signed.jws,
            "chunks": chunks,
            "svg": [chunk_svg(chunk) for chunk in chunks],
            "png": [chunk_png_data_uri(chunk) for chunk in chunks],
        }
    ).data
