"""Suggested medicines over REST."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.serializers import valid
from prescriptions.rates import TYPING_GROUP, TYPING_RATE
from prescriptions.serializers.medicines import SuggestionSerializer, TypedSerializer
from prescriptions.services.suggestions import suggest_medicines


@extend_schema(tags=["prescriptions"])
class MedicinesView(APIView):
    throttle_rate = TYPING_RATE
    throttle_group = TYPING_GROUP

    @extend_schema(
        parameters=[OpenApiParameter("q", str, description="How a word of the name begins.")],
        responses=SuggestionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Names for what a doctor has begun to type, ten at most: first what they prescribe
        themselves, then international names. Fewer than two letters suggest nothing."""
        typed = valid(TypedSerializer(data=request.query_params))
        found = suggest_medicines(actor=request.user, text=typed["q"])
        return Response(SuggestionSerializer(found, many=True).data)
