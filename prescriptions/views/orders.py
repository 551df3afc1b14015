"""Prescriptions on pages: the list, and the sheet."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from common.clock import clinic_date
from common.languages import spoken
from common.pagination import feed_page
from prescriptions.forms.orders import FindForm, PrintForm
from prescriptions.models import Prescription, PrescriptionQuerySet
from prescriptions.pdf import pdf_response
from prescriptions.services import reading

State = Prescription.State


@require_safe
def prescription_list(request: HttpRequest) -> HttpResponse:
    """A patient's own, or those a doctor issued; in force, or with `?show=past` no longer. A
    doctor looks for them by number, name (`?q=`) and state (`?state=`)."""
    today = clinic_date()
    mine = Prescription.objects.visible_to(request.user).with_items()
    shows_past = request.GET.get("show") == "past"
    user = request.user
    found = mine.past(today, user) if shows_past else mine.active(today, user)
    form = FindForm(request.GET)
    if request.user.is_doctor:  # type: ignore[union-attr]
        mine = mine.issued_by(request.user)
        found = _found(mine, form, user) if _is_asked(form) else found.issued_by(request.user)
    page = feed_page(request, found)
    context = {
        "shows_past": shows_past,
        "is_search": request.user.is_doctor and _is_asked(form),  # type: ignore[union-attr]
        "form": form,
        "page": page,
        "rows": [
            (prescription, prescription.state_told(user, today)) for prescription in page.rows
        ],
    }
    return render(request, "prescriptions/list.html", context)


def _is_asked(form: FindForm) -> bool:
    return form.is_valid() and any(form.cleaned_data.values())


def _found(mine: PrescriptionQuerySet, form: FindForm, user: Any) -> PrescriptionQuerySet:
    """Of those that were replaced only the last version, unless they are asked for."""
    text, state = form.cleaned_data["q"], form.cleaned_data["state"]
    found = mine.in_state(State(state), clinic_date(), user) if state else mine.current()
    return found.matching(text) if text else found


@require_safe
def prescription_pdf(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    form = PrintForm({"size": "A4", "language": spoken()} | request.GET.dict())
    if not form.is_valid():
        raise BadRequest("Not a paper or language we print.")
    prescription, content = reading.download_prescription(
        actor=request.user,
        prescription_id=prescription_id,
        paper=form.cleaned_data["size"],
        language=form.cleaned_data["language"],
    )
    return pdf_response(content, number=prescription.number)
