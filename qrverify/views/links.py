"""SMART Health Links: pages for the patient, and the protocol for whoever has a link."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.middleware import confirm_address, device_session
from accounts.models import Role
from accounts.policies import check_is_active, is_confirmed
from accounts.views.confirmed import ConfirmedFormPage
from common.errors import DomainError, InvalidInput
from common.pages import explained, with_status
from common.pagination import feed_page
from common.public import PUBLIC_HEADERS, chosen_language, public_page
from common.qr import qr_svg
from common.renderers import dumps
from common.throttling import check_rate
from qrverify.forms.links import LinkForm
from qrverify.models import SharedLink
from qrverify.services import links
from qrverify.smart.links import FHIR_TYPE
from qrverify.smart.summary import SECTIONS

# Readers are apps and pages of anybody; nothing that a browser keeps of ours opens a link.
OPEN_TO_ALL = {
    **PUBLIC_HEADERS,
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "content-type",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Expose-Headers": "Retry-After",
    "Access-Control-Max-Age": "86400",
}
OPENINGS_SHOWN = 50
MOST_BODY_BYTES = 10_000


# --- The patient's ----------------------------------------------------------------------------


@require_safe
def link_list(request: HttpRequest) -> HttpResponse:
    check_is_active(request.user, role=Role.PATIENT)
    page = feed_page(request, SharedLink.objects.visible_to(request.user))
    now = timezone.now()
    rows = [(link, link.state(now)) for link in page.rows]
    return render(request, "qrverify/links/list.html", {"page": page, "rows": rows})


@method_decorator(never_cache, name="dispatch")
class LinkCreate(ConfirmedFormPage):
    """What a new link shows, and to whom; its page shows the link itself. Whoever makes one has
    just confirmed that it is them."""

    template_name = "qrverify/links/create.html"
    form_class = LinkForm
    role = Role.PATIENT

    def get_initial(self) -> dict[str, Any]:
        """What it shows can be said in the address: the emergency card's page does."""
        content = self.request.GET.get("content", "")
        return {"content": content} if content in SharedLink.Content.values else {}

    def form_valid(self, form: LinkForm) -> HttpResponse:
        link = links.make_link(session=device_session(self.request), wish=form.wish())
        messages.success(self.request, _("The link has been made."))
        return redirect("link-detail", link.pk)


@never_cache
@require_safe
def link_detail(request: HttpRequest, link_id: UUID) -> HttpResponse:
    """One link: how it stands and who opened it; the QR code and the address for whoever has just
    confirmed that it is them."""
    check_is_active(request.user, role=Role.PATIENT)
    link = get_object_or_404(SharedLink.objects.visible_to(request.user), pk=link_id)
    state = link.state(timezone.now())
    is_live, session = state == SharedLink.State.ACTIVE, device_session(request)
    address = ""
    if is_live and is_confirmed(session):
        address = links.show_address(session=session, link_id=link_id).url
    context = {
        "link": link,
        "state": state,
        "is_live": is_live,
        "address": address,
        "qr": qr_svg(address) if address else "",
        "show_url": confirm_address(request.path),
        "openings": link.openings.all()[:OPENINGS_SHOWN],
    }
    return render(request, "qrverify/links/detail.html", context)


@require_POST
def link_revoke(request: HttpRequest, link_id: UUID) -> HttpResponse:
    with explained(request):
        links.revoke_link(actor=request.user, link_id=link_id)
        messages.success(request, _("The link has been withdrawn. It opens nothing any more."))
    return redirect("link-detail", link_id)


# --- Whoever has it ---------------------------------------------------------------------------


@login_not_required
@require_safe
def shl_viewer(request: HttpRequest) -> HttpResponse:
    """Our own reader of links: what is in the address after `#` never comes here."""
    with translation.override(chosen_language(request)):
        return public_page(
            request,
            "qrverify/links/viewer.html",
            issuer=settings.SITE_URL,
            sections=[(section.code, section.title) for section in SECTIONS],
        )


@csrf_exempt
@login_not_required
@require_http_methods(["POST", "OPTIONS"])
def shl_manifest(request: HttpRequest, manifest_id: str) -> HttpResponse:
    """What is behind a link, for someone who says who they are and knows the passcode."""
    if request.method == "OPTIONS":
        return HttpResponse(status=HTTPStatus.NO_CONTENT, headers=OPEN_TO_ALL)
    try:
        check_rate(request, group="shl", rate="30/m")
        opened = links.open_link(manifest_id=manifest_id, **_asked(request))
    except links.WrongPasscode as error:
        return _answer({"remainingAttempts": error.remaining}, status=error.status_code)
    except DomainError as error:
        return _refused(error)
    found: dict[str, Any] = {"contentType": FHIR_TYPE}
    if opened.ticket:
        found["location"] = f"{settings.SITE_URL}/shl/file/{opened.ticket}"
    else:
        found["embedded"] = opened.embedded
    response = _answer({"status": "can-change", "files": [found]})
    response.headers["Retry-After"] = str(int(links.LOOK_AGAIN_AFTER.total_seconds()))
    return response


@login_not_required
@require_http_methods(["GET", "OPTIONS"])
def shl_file(request: HttpRequest, ticket: str) -> HttpResponse:
    """What was too long for the answer, fetched once."""
    if request.method == "OPTIONS":
        return HttpResponse(status=HTTPStatus.NO_CONTENT, headers=OPEN_TO_ALL)
    try:
        check_rate(request, group="shl", rate="30/m")
        encrypted = links.fetch_file(ticket=ticket)
    except DomainError as error:
        return _refused(error)
    return HttpResponse(encrypted, content_type="application/jose", headers=OPEN_TO_ALL)


def _asked(request: HttpRequest) -> dict[str, Any]:
    """What the body says, as the protocol has it; what it does not know is ignored."""
    try:
        body = orjson.loads(request.body[:MOST_BODY_BYTES])
    except orjson.JSONDecodeError as error:
        raise InvalidInput(_("Send a JSON object.")) from error
    if not isinstance(body, dict):
        raise InvalidInput(_("Send a JSON object."))
    passcode, most = body.get("passcode") or "", body.get("embeddedLengthMax")
    if not isinstance(body.get("recipient"), str):
        raise InvalidInput(_("Say who you are."), attr="recipient")
    if not isinstance(passcode, str):
        raise InvalidInput(_("A passcode is text."), attr="passcode")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 0):
        raise InvalidInput(_("A length is a whole number."), attr="embeddedLengthMax")
    return {"recipient": body["recipient"], "passcode": passcode, "most_embedded": most}


def _refused(error: DomainError) -> HttpResponse:
    content = {"code": error.code, "detail": str(error.detail), "attr": error.attr}
    return with_status(_answer({"errors": [content]}), error)


def _answer(content: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return HttpResponse(
        dumps(content), content_type="application/json", headers=OPEN_TO_ALL, status=status
    )
