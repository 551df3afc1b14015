"""The chart as a page: the doctor's own, and the patient's look at it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from common.languages import spoken
from connections.models import AccessGrant, Connection
from connections.services.grants import NothingShared
from medisync.chart.lines import lines_of, worded
from medisync.chart.paper import download_summary, summary_response
from medisync.chart.reading import MOST, Chart, open_chart, preview_grant


@never_cache
@require_safe
def patient_chart(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """What the patient lets this doctor see; that it was opened is logged."""
    chart = open_chart(doctor=request.user, patient_id=patient_id)
    return render(request, "medisync/chart.html", _context(chart))


@never_cache
@require_safe
def patient_summary(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    content = download_summary(doctor=request.user, patient_id=patient_id, language=spoken())
    return summary_response(content)


@never_cache
@require_safe
def grant_preview(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """The very page that the doctor sees, for the patient."""
    mine = Connection.objects.visible_to(request.user).filter(patient_id=request.user.pk)
    connection = get_object_or_404(mine, pk=connection_id)
    grant = AccessGrant.objects.standing().filter(connection=connection).first()
    if grant is None:
        raise NothingShared
    chart = preview_grant(actor=request.user, grant_id=grant.pk)
    return render(request, "medisync/chart.html", _context(chart) | {"is_preview": True})


def _context(chart: Chart) -> dict[str, Any]:
    sections = worded(chart.shared)
    return {
        "chart": chart,
        "most": MOST,
        "filled": [section for section in sections if section.lines],
        "empty": [section for section in sections if not section.lines],
        "issued": [line for row in chart.issued for line in lines_of(row)],
        "ends_in": _milliseconds(chart.time_left),
    }


def _milliseconds(time: dt.timedelta | None) -> str:
    """As a browser counts, and not too few; empty for ever."""
    return "" if time is None else str(max(0, -(-time // dt.timedelta(milliseconds=1))))
