"""Who saw the caller's data, and asking about it, over REST."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import AccessEvent
from common.pagination import FeedPagination
from common.serializers import valid, valid_query
from connections.serializers import access_log as shapes
from connections.services.access_log import access_log, cases_of, entries_of, log_entry
from connections.services.cases import question_access


@extend_schema(tags=["access log"])
class AccessLogViewSet(viewsets.GenericViewSet[Any]):
    """Who saw your data: one entry an act, newest first."""

    queryset = AccessEvent.objects.none()
    serializer_class = shapes.EntrySerializer
    pagination_class = FeedPagination
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[AccessEvent]:
        return access_log(actor=self.request.user)

    @extend_schema(parameters=[shapes.WantedSerializer])
    def list(self, request: Request) -> Response:
        """What others did with your data, or `by=all` with what you did yourself."""
        wanted = valid_query(request, shapes.WantedSerializer)
        found = access_log(actor=request.user, wanted=wanted)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(self.get_serializer(entries_of(page), many=True).data)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One act on your data."""
        return Response(self.get_serializer(log_entry(actor=request.user, event_id=pk)).data)

    @extend_schema(request=shapes.QuestionSerializer, responses={201: shapes.CaseSerializer})
    @action(detail=True, methods=["post"])
    def question(self, request: Request, pk: UUID) -> Response:
        """Ask why somebody else did this. An administrator answers within a week."""
        asked = valid(shapes.QuestionSerializer(data=request.data))
        case = question_access(actor=request.user, event_id=pk, **asked)
        return Response(shapes.CaseSerializer(case).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=shapes.CaseSerializer(many=True))
    @action(detail=False)
    def cases(self, request: Request) -> Response:
        """What you have asked, newest first, with the answers."""
        page = self.paginate_queryset(cases_of(actor=request.user)) or []
        return self.get_paginated_response(shapes.CaseSerializer(page, many=True).data)
