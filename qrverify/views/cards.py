"""Health cards on pages, and what verifiers need of us: keys and revocation lists."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from common.clock import clinic_date
from common.pages import explained
from common.renderers import dumps
from common.throttling import check_rate
from qrverify.services import cards
from qrverify.smart.cards import FILE_EXTENSION, FILE_TYPE, card_file
from qrverify.smart.chunks import chunk_svg

# Anybody may read them from anywhere, and keep them for as long.
PUBLISHED_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=300",
}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def health_card(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    """A patient's card of one prescription, to be printed or saved; a POST makes it."""
    if request.method == "POST":
        with explained(request):
            cards.issue_card(actor=request.user, prescription_id=prescription_id)
        return redirect("prescription-health-card", prescription_id)
    prescription, signed = cards.shown_card(actor=request.user, prescription_id=prescription_id)
    context = {
        "prescription": prescription,
        "state": prescription.state(clinic_date()),
        "is_active": prescription.is_dispensable(clinic_date()),
        "signed": signed,
        "symbols": [chunk_svg(chunk) for chunk in signed.chunks] if signed else [],
    }
    return render(request, "qrverify/cards/card.html", context)


@never_cache
@require_safe
def health_card_file(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    """The card as wallets import it."""
    signed = cards.download_card(actor=request.user, prescription_id=prescription_id)
    name = f"{signed.card.prescription.number}.{FILE_EXTENSION}"
    return HttpResponse(
        card_file(signed.jws),
        content_type=FILE_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@login_not_required
@require_safe
def jwks(request: HttpRequest) -> HttpResponse:
    """The keys by which anybody checks our cards."""
    check_rate(request, group="card-keys", rate="60/m")
    return _published({"keys": cards.published_keys()})


@login_not_required
@require_safe
def crl(request: HttpRequest, kid: str) -> HttpResponse:
    """The cards of one key that are good no more."""
    check_rate(request, group="card-keys", rate="60/m")
    return _published(cards.revocation_list(kid))


def _published(content: dict[str, Any]) -> HttpResponse:
    return HttpResponse(dumps(content), content_type="application/json", headers=PUBLISHED_HEADERS)
