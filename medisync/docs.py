"""The API's documentation pages, served from this machine under the strict policy."""

from typing import Any, ClassVar

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from common.renderers import FileRenderer


class SwaggerView(SpectacularSwaggerSplitView):
    """Swagger UI; its script comes as a file of its own."""

    url_name = "schema"


# ReDoc writes its styles into the page and parses the schema in a worker made of a blob.
REDOC_POLICY: dict[str, Any] = {
    "style-src": [SELF, UNSAFE_INLINE],
    "worker-src": [SELF, "blob:"],
}


@method_decorator(csp_update(REDOC_POLICY), name="dispatch")
class RedocView(SpectacularRedocView):
    url_name = "schema"


class YAMLRenderer(FileRenderer):
    media_type = "application/yaml"
    format = "yaml"


class AsyncAPIView(APIView):
    """What is said on the socket, for machines."""

    authentication_classes: ClassVar[list[Any]] = []
    permission_classes: ClassVar[list[Any]] = [AllowAny]
    renderer_classes: ClassVar[list[Any]] = [YAMLRenderer]
    schema = None
    document = (settings.BASE_DIR / "docs" / "asyncapi.yaml").read_bytes()

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(self.document, content_type="application/yaml")
