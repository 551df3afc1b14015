"""A copy of one's own data over REST."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import session_of
from accounts.models import DataExport
from accounts.serializers.exports import DataExportSerializer
from accounts.services import exports
from common.files import download
from common.pagination import FeedPagination
from common.renderers import JSONRenderer


class ZipRenderer(JSONRenderer):
    """Lets a client ask for a ZIP. The file comes as a response of its own, so all that is ever
    rendered here is a problem."""

    media_type = "application/zip"
    format = "zip"


@extend_schema(tags=["exports"])
class DataExportViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[DataExport]):
    queryset = DataExport.objects.none()
    serializer_class = DataExportSerializer
    permission_classes: ClassVar = [IsAuthenticated]  # applicants have data here, too
    pagination_class = FeedPagination
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[DataExport]:
        return DataExport.objects.visible_to(self.request.user)

    @extend_schema(request=None, responses={202: DataExportSerializer})
    def create(self, request: Request) -> Response:
        """Ask for a copy: one at a time, and three a day, by someone who has just confirmed
        that it is them. `Location` leads to it, also when there is one in the making (409)."""
        try:
            export = exports.request_export(session=session_of(request))
        except exports.ExportRunning as error:
            answer = self.handle_exception(error)
            export = error.export
        else:
            answer = Response(self.get_serializer(export).data, status=status.HTTP_202_ACCEPTED)
        answer.headers["Location"] = f"{request.path}/{export.pk}"
        return answer

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """How far it is, and until when it is kept."""
        return Response(self.get_serializer(get_object_or_404(self.get_queryset(), pk=pk)).data)

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    @action(detail=True, renderer_classes=[ZipRenderer, JSONRenderer])
    def download(self, request: Request, pk: UUID) -> FileResponse:
        """The copy itself, for someone who has just confirmed that it is them."""
        export = exports.open_export(session=session_of(request), export_id=pk)
        return download(export.file, name=export.file_name)
