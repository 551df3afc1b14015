"""Addresses that open a file for a few minutes, for apps that hand them to another program.

Such a program sends no token and no cookie. So the address carries what was asked for and in
which session, sealed: nobody can read it, make one up or change it. It proves nothing more: at
each use the session and everything the file is made of are asked again, as if its user had asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import DeviceSession, User
from accounts.services.sessions import find_live_session
from common.crypto import CannotDecrypt, seal, unseal
from common.languages import Language
from common.throttling import check_rate
from connections.models import AccessGrant
from medisync.chart.paper import download_summary, summary_response
from prescriptions.models import Prescription
from prescriptions.pdf import Paper, pdf_response
from prescriptions.services.reading import download_prescription

LASTS = dt.timedelta(minutes=5)
PURPOSE = "medisync.link"


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    expires_at: dt.datetime


def link_to_summary(*, session: DeviceSession, patient_id: UUID, language: Language) -> Link:
    """To the chart of a patient who lets the session's doctor see it."""
    if not AccessGrant.objects.between(session.user, patient_id).exists():
        raise Http404
    return _link(session, kind="summary", row=str(patient_id), language=language)


def link_to_prescription(
    *, session: DeviceSession, prescription_id: UUID, paper: Paper, language: Language
) -> Link:
    """To the sheet of a prescription that the session's user may see."""
    if not Prescription.objects.visible_to(session.user).filter(pk=prescription_id).exists():
        raise Http404
    return _link(
        session, kind="prescription", row=str(prescription_id), paper=paper, language=language
    )


@login_not_required
@never_cache
@require_safe
def issued_file(request: HttpRequest, token: str) -> HttpResponse:
    """What a link opens; whatever stands in the way, there is nothing here."""
    check_rate(request, group="issued-file", rate="60/m")
    claims = _claims(token)
    session = find_live_session(UUID(claims["session"]))
    if session is None:
        raise Http404
    return FILES[claims["kind"]](session.user, claims)


def _link(session: DeviceSession, **claims: str) -> Link:
    expires_at = timezone.now() + LASTS
    claims |= {"session": str(session.pk), "until": expires_at.isoformat()}
    token = seal(orjson.dumps(claims).decode(), purpose=PURPOSE)
    path = reverse("issued-file", args=[token])
    return Link(f"{settings.SITE_URL}{path}", expires_at)


def _claims(token: str) -> dict[str, Any]:
    """What was sealed into a link that has time left."""
    try:
        claims: dict[str, Any] = orjson.loads(unseal(token, purpose=PURPOSE))
    except CannotDecrypt as error:
        raise Http404 from error
    if dt.datetime.fromisoformat(claims["until"]) <= timezone.now():
        raise Http404
    return claims


def _summary(user: User, claims: dict[str, Any]) -> HttpResponse:
    content = download_summary(
        doctor=user, patient_id=UUID(claims["row"]), language=claims["language"]
    )
    return summary_response(content)


def _prescription(user: User, claims: dict[str, Any]) -> HttpResponse:
    prescription, content = download_prescription(
        actor=user,
        prescription_id=UUID(claims["row"]),
        paper=claims["paper"],
        language=claims["language"],
    )
    return pdf_response(content, number=prescription.number)


FILES: dict[str, Callable[[User, dict[str, Any]], HttpResponse]] = {
    "summary": _summary,
    "prescription": _prescription,
}
