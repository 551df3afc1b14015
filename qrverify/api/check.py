"""Reading a QR code over REST, for anyone."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import PublicView
from common.serializers import valid
from qrverify.serializers import check as shapes
from qrverify.services.check import read_codes


@extend_schema(tags=["qr"])
class ReadView(PublicView):
    throttle_rate = "30/m"
    throttle_group = "qr-read"

    @extend_schema(request=shapes.ReadSerializer, responses={200: shapes.FoundSerializer})
    def post(self, request: Request) -> Response:
        """What is this code? One of ours leads to its own page, a health card of ours is read;
        anything else is refused, with a sentence that says what it is. Nothing is opened."""
        data = valid(shapes.ReadSerializer(data=request.data))
        found = read_codes(data["texts"], attr="texts")
        return Response(shapes.FoundSerializer(found).data)
