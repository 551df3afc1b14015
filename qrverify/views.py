"""QR codes on pages: showing one, scanning one, and proving a prescription by one."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from accounts.policies import check_is_active
from common.errors import DomainError, InvalidInput
from common.pages import FormPage, explained, with_status
from common.qr import qr_svg
from common.throttling import check_rate
from connections.models import Connection
from prescriptions.models import Prescription
from qrverify import services
from qrverify.forms import ScanForm, ShowForm, VerifyForm
from qrverify.images import read_qr
from qrverify.models import QrToken
from qrverify.services import Outcome

RECENTLY = dt.timedelta(minutes=15)
PUBLIC_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
STATUS_CODES = {Outcome.AUTHENTIC: 200, Outcome.ALTERED: 200, Outcome.UNKNOWN: 404}


@method_decorator(never_cache, name="dispatch")
class QrShow(FormPage):
    """A doctor's code. Its secrets are in the answer to the POST and nowhere else."""

    template_name = "qrverify/show.html"
    form_class = ShowForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        check_is_active(request.user, role=Role.DOCTOR)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: ShowForm) -> HttpResponse:
        lasts = dt.timedelta(minutes=form.cleaned_data["expiry_minutes"])
        shown = services.issue_connection_token(actor=self.request.user, lasts=lasts)
        context = self.get_context_data(form=form, shown=shown, qr=qr_svg(shown.url))
        return self.render_to_response(context)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now, user = timezone.now(), self.request.user
        connections = Connection.objects.visible_to(user).active().with_people()
        return super().get_context_data(
            just_connected=connections.filter(
                origin=Connection.Origin.QR, connected_at__gte=now - RECENTLY
            ).order_by("-connected_at"),
            usable=QrToken.objects.visible_to(user).usable(now),
            **kwargs,
        )


@require_POST
def qr_revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    with explained(request):
        services.revoke_token(actor=request.user, token_id=token_id)
        messages.success(request, _("The code has been withdrawn."))
    return redirect("qr-show")


class QrScan(FormPage):
    """Three ways to give a code; the next page says whose it is."""

    template_name = "qrverify/scan.html"
    form_class = ScanForm
    rate, rate_group = "10/m", "qr-scan"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        check_is_active(request.user, role=Role.PATIENT)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: ScanForm) -> HttpResponse:
        scanned = form.cleaned_data["token"]
        if not scanned:
            scanned = read_qr(form.cleaned_data["photo"])
        if scanned is None:
            raise InvalidInput(
                _("No code could be read on this photo. Go closer, hold still, or type it."),
                attr="photo",
            )
        services.find_token(actor=self.request.user, scanned=scanned)
        return redirect("qr-preview", services.code_within(scanned))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def qr_preview(request: HttpRequest, token: str) -> HttpResponse:
    """Whose code it is; confirmed, the two are connected. A phone's camera leads here, too."""
    try:
        check_rate(request, group="qr-scan", rate="10/m")
        if request.method == "POST":
            connection = services.redeem_token(actor=request.user, scanned=token)
            return _connected(request, connection)
        found = services.find_token(actor=request.user, scanned=token)
    except DomainError as error:
        return _not_connected(request, token, error)
    doctor = found.issuer
    context = {"doctor": doctor, "expires_at": found.expires_at, "token": token}
    return render(request, "qrverify/preview.html", context)


def _connected(request: HttpRequest, connection: Connection) -> HttpResponse:
    name = connection.other_side(request.user).display_name
    messages.success(request, _("You are connected with %(name)s.") % {"name": name})
    return redirect("connection-detail", connection.pk)


def _not_connected(request: HttpRequest, token: str, error: DomainError) -> HttpResponse:
    """Say why, and what to do; whoever is connected already is taken there."""
    if error.code in {"qr_used", "already_connected"}:
        doctor_id = services.look_up_token(scanned=token).issuer_id
        mine = Connection.objects.visible_to(request.user).active()
        connection = mine.with_people().filter(doctor_id=doctor_id).first()
        if connection is not None:
            return _connected(request, connection)
    response = render(request, "qrverify/not_connected.html", {"error": error})
    return with_status(response, error)


@login_not_required
@require_safe
def verify(request: HttpRequest, code: str) -> HttpResponse:
    """For a pharmacist without an account: is this paper ours, unaltered and still valid?

    It looks the same to everyone, signed in or not. The language is chosen by a link, since a
    page without a referrer cannot post a form.
    """
    chosen = request.GET.get("language")
    language = chosen if chosen in dict(settings.LANGUAGES) else translation.get_language()
    with translation.override(language):
        try:
            check_rate(request, group="verify", rate="30/m")
            response = _verification(request, code)
        except DomainError as error:
            response = with_status(_public(request, "refused.html", error=error), error)
    for name, value in PUBLIC_HEADERS.items():
        response.headers[name] = value
    return response


def _verification(request: HttpRequest, code: str) -> HttpResponse:
    claims = VerifyForm(request.GET)
    if not claims.is_valid():
        return _public(request, "qrverify/verify_incomplete.html", status=400)
    found = services.verify_prescription(
        code=code, version=claims.cleaned_data["v"], content_hash=claims.cleaned_data["h"]
    )
    return _public(
        request,
        f"qrverify/verify_{found.outcome}.html",
        status=STATUS_CODES[found.outcome],
        prescription=found.prescription,
        state=found.state,
        is_active=found.state == Prescription.State.ACTIVE,
    )


def _public(
    request: HttpRequest, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    return render(request, template, {**context, "user": AnonymousUser()}, status=status)
