"""Suggestions to the page on which a doctor types."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from common.throttling import check_rate
from prescriptions.rates import TYPING_GROUP, TYPING_RATE
from prescriptions.serializers.medicines import SuggestionSerializer
from prescriptions.services.suggestions import suggest_medicines


@never_cache
@require_safe
def medicine_suggestions(request: HttpRequest) -> JsonResponse:
    """What the API answers at `/medicines`, to a browser."""
    check_rate(request, group=TYPING_GROUP, rate=TYPING_RATE)
    found = suggest_medicines(actor=request.user, text=request.GET.get("q", ""))
    return JsonResponse(SuggestionSerializer(found, many=True).data, safe=False)
