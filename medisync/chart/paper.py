"""The chart on paper."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from audit.models import AccessEvent
from common.clock import clinic_date
from common.files import show_pdf
from common.languages import Language
from common.paper import compiler_for, printable_line, printable_lines, typeset
from medisync.chart.lines import Line, lines_of, worded
from medisync.chart.reading import MOST, Chart, open_chart

TEMPLATE = Path(__file__).with_name("summary.typ")


def download_summary(*, doctor: Any, patient_id: UUID, language: Language) -> bytes:
    """The chart as a PDF, for a doctor who was let see it; that they took it is logged."""
    chart = open_chart(doctor=doctor, patient_id=patient_id, action=AccessEvent.Action.DOWNLOADED)
    return render_summary(chart, language=language, at=timezone.now())


def render_summary(chart: Chart, *, language: Language, at: dt.datetime) -> bytes:
    with translation.override(language):
        data = _page_data(chart, language, at)
    return typeset(lambda: compiler_for(TEMPLATE, data), at=at)


def summary_response(content: bytes) -> HttpResponse:
    """Its name says nothing of whose it is."""
    return show_pdf(content, name="summary.pdf")


def _page_data(chart: Chart, language: Language, at: dt.datetime) -> dict[str, Any]:
    """All that the template shows, already worded."""
    sections = [
        {
            "title": section.title,
            "is_facts": section.is_facts,
            "lines": [_line(line) for line in section.lines],
            "cut": _cut() if section.is_cut else "",
        }
        for section in worded(chart.shared)
    ]
    issued = [_line(line) for row in chart.issued for line in lines_of(row)]
    own = {
        "title": _("Prescriptions by you"),
        "is_facts": False,
        "lines": issued,
        "cut": _cut() if chart.issued_is_cut else "",
    }
    day = clinic_date(at)
    return {
        "language": language,
        "title": _("Summary"),
        "patient": printable_line(chart.patient.full_name),
        "lead": _("As %(name)s may see it on %(date)s.")
        % {"name": printable_line(chart.doctor.display_name), "date": date_format(day)},
        "made_on": [day.year, day.month, day.day],
        "sections": [*sections, *([own] if issued else [])],
        "empty": _("Nothing entered."),
        "not_shared_title": _("Not shared"),
        "not_shared": [str(section.category.label) for section in chart.not_shared],
        "page": _("Page {page} of {pages}"),
    }


def _line(line: Line) -> dict[str, str]:
    return {"title": printable_line(line.title), "detail": printable_lines(line.detail)}


def _cut() -> str:
    return _("Only the newest %(n)s are listed.") % {"n": MOST}
