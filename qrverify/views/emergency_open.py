"""Opening an emergency card: a page for whoever finds somebody who cannot speak."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from common.errors import DomainError
from common.pages import add_refusal, with_status
from common.public import chosen_language, public_page
from common.throttling import check_rate
from qrverify.forms.emergency import OpenForm
from qrverify.services import emergency as services

GONE = (services.UnknownCard, services.CardReplaced, services.CardWithdrawn)


# The secret in the address alone opens the card: no cookie is asked for, so another site that
# made a browser post here would gain nothing that it could not do itself. And a page that sends
# no referrer has no origin to be checked.
@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def emergency_open(request: HttpRequest, secret: str) -> HttpResponse:
    """What it is, who asks and why; then the card. Reading it is logged, and its owner told."""
    with translation.override(chosen_language(request)):
        try:
            check_rate(request, group="emergency-look", rate="30/m")
            return (
                _opened(request, secret) if request.method == "POST" else _closed(request, secret)
            )
        except GONE as error:
            page = public_page(request, "qrverify/emergency/gone.html", error=error)
            return with_status(page, error)
        except DomainError as error:
            return with_status(public_page(request, "refused.html", error=error), error)


def _closed(
    request: HttpRequest, secret: str, form: OpenForm | None = None, status: int = 200
) -> HttpResponse:
    card = services.look_up_card(secret=secret)
    return public_page(
        request,
        "qrverify/emergency/closed.html",
        status=status,
        name=card.outer_name,
        form=form or OpenForm(),
    )


def _opened(request: HttpRequest, secret: str) -> HttpResponse:
    form = OpenForm(request.POST)
    if not form.is_valid():
        return _closed(request, secret, form, status=400)
    check_rate(request, group="emergency-open", rate="10/m")
    try:
        opened = services.open_card(secret=secret, **form.cleaned_data)
    except GONE:
        raise
    except DomainError as error:
        add_refusal(form, error)
        return with_status(_closed(request, secret, form), error)
    return public_page(
        request, "qrverify/emergency/opened.html", content=opened.content, scan=opened.scan
    )
