"""QR codes on pages: showing one and scanning one."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from accounts.policies import check_is_active
from common.errors import DomainError, InvalidInput
from common.pages import FormPage, add_refusal, explained, with_status
from common.qr import qr_svg
from common.throttling import check_rate
from connections.forms.sharing import SharingForm
from connections.models import Connection
from qrverify.forms.tokens import ScanForm, ShowForm
from qrverify.images import read_qr
from qrverify.models import QrSighting, QrToken
from qrverify.payloads import Kind, Payload
from qrverify.services import tokens as services
from qrverify.services.check import pick

RECENTLY = dt.timedelta(minutes=15)
MOST_SHOWN = 20


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

    def get_context_data(
        self, shown: services.ShownToken | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        now, user = timezone.now(), self.request.user
        tokens = QrToken.objects.visible_to(user)
        others = tokens.usable(now).exclude(pk=shown.token.pk if shown else None)
        made_in_a_week = tokens.filter(created_at__gt=now - QrToken.KEPT_FOR)
        past = made_in_a_week.exclude(pk__in=tokens.usable(now)).select_related("used_by")
        return super().get_context_data(
            just_connected=_just_connected(user, now),
            looking=_looking(user, now),
            shown=shown,
            usable=others[:MOST_SHOWN],
            past=[(token, token.state(now)) for token in past[:MOST_SHOWN]],
            week=made_in_a_week.aggregate(made=Count("pk"), used=Count("used_at")),
            **kwargs,
        )


def _just_connected(user: Any, now: dt.datetime) -> QuerySet[Connection]:
    connections = Connection.objects.visible_to(user).active().with_people()
    lately = connections.filter(origin=Connection.Origin.QR, connected_at__gte=now - RECENTLY)
    return lately.order_by("-connected_at")[:MOST_SHOWN]


def _looking(user: Any, now: dt.datetime) -> QuerySet[QrSighting]:
    """Who has scanned a code that still works, and has not connected yet."""
    sightings = QrSighting.objects.visible_to(user).undecided(now)
    return sightings.select_related("person")[:MOST_SHOWN]


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
        payload = _scanned(form)
        if payload.kind != Kind.CONNECTION:
            return _other_kind(self.request, payload)
        services.find_token(actor=self.request.user, scanned=payload.secret)
        return redirect("qr-preview", payload.secret)


def _scanned(form: ScanForm) -> Payload:
    if form.cleaned_data["token"]:
        return pick([form.cleaned_data["token"]], attr="token")[0]
    return pick(read_qr(form.cleaned_data["photo"], attr="photo"), attr="photo")[0]


def _other_kind(request: HttpRequest, payload: Payload) -> HttpResponse:
    """What was scanned is ours and connects nobody: what it is for, and the way there."""
    return render(request, "qrverify/other_kind.html", {"payload": payload})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def qr_preview(request: HttpRequest, token: str) -> HttpResponse:
    """Whose code it is, and what that doctor would see; confirmed, the two are connected. A
    phone's camera leads here, too."""
    form = SharingForm(request.POST if request.method == "POST" else None)
    try:
        check_rate(request, group="qr-scan", rate="10/m")
        if form.is_valid():
            return _connected(request, _redeem(request, token, form))
        found = services.find_token(actor=request.user, scanned=token)
    except InvalidInput as error:
        if error.attr not in form.fields:
            return _not_connected(request, token, error)
        add_refusal(form, error)
        found = services.find_token(actor=request.user, scanned=token)
    except DomainError as error:
        return _not_connected(request, token, error)
    context = {"doctor": found.issuer, "expires_at": found.expires_at, "form": form}
    status = 400 if form.is_bound else 200
    return render(request, "qrverify/preview.html", context, status=status)


def _redeem(request: HttpRequest, token: str, form: SharingForm) -> Connection:
    return services.redeem_token(actor=request.user, scanned=token, sharing=form.sharing())


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
