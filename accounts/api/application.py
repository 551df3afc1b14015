"""A doctor's own application over REST."""

from __future__ import annotations

from typing import ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import views
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import session_of
from accounts.serializers import application as shapes
from accounts.services import applications
from common.parsers import JSONParser
from common.serializers import valid


@extend_schema(tags=["registration"], responses={200: shapes.ApplicationSerializer})
class ApplicationView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]
    parser_classes: ClassVar = [JSONParser, MultiPartParser]

    def get(self, request: Request) -> Response:
        """How your application stands and, if it came back, what to correct."""
        return self._answer(request)

    @extend_schema(
        request={
            "application/json": shapes.CorrectionSerializer,
            "multipart/form-data": shapes.CorrectionDocumentsSerializer,
        }
    )
    def patch(self, request: Request) -> Response:
        """Correct the step that your application came back for; it is looked at again."""
        doctor = session_of(request).user
        shape = shapes.CORRECTION_SHAPES[applications.returned_step(doctor)]
        applications.correct_application(actor=doctor, changes=valid(shape(data=request.data)))
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        review = applications.last_review(session_of(request).user)
        if review is None:
            raise Http404
        return Response(shapes.ApplicationSerializer(review).data)
