"""Prescriptions on pages: reading, printing, issuing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from common.clock import clinic_date
from common.errors import DomainError
from common.pages import add_refusal, with_status
from common.pagination import feed_page
from common.qr import qr_svg
from connections.models import Connection
from prescriptions import services
from prescriptions.forms import BaseItemFormSet, IssueForm, ItemFormSet, PrintForm
from prescriptions.models import Prescription
from prescriptions.pdf import pdf_response
from prescriptions.policies import check_can_issue
from prescriptions.sig import Language, dosage_sentence


@require_safe
def prescription_list(request: HttpRequest) -> HttpResponse:
    """A patient's own, or those a doctor issued; still valid, or with `?show=past` no longer."""
    today = clinic_date()
    shows_past = request.GET.get("show") == "past"
    mine = Prescription.objects.visible_to(request.user).with_items()
    page = feed_page(request, mine.expired(today) if shows_past else mine.active(today))
    return render(request, "prescriptions/list.html", {"shows_past": shows_past, "page": page})


@never_cache
@require_safe
def prescription_detail(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    prescription = services.open_prescription(actor=request.user, prescription_id=prescription_id)
    spoken = _spoken()
    context = {
        "prescription": prescription,
        "state": prescription.state(clinic_date()),
        "items": [(item, dosage_sentence(item, spoken)) for item in prescription.items.all()],
        "qr": qr_svg(prescription.verification_url),
        "print_form": PrintForm(initial={"language": spoken}),
    }
    return render(request, "prescriptions/detail.html", context)


@require_safe
def prescription_pdf(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    form = PrintForm({"size": "A4", "language": _spoken()} | request.GET.dict())
    if not form.is_valid():
        raise BadRequest("Not a paper or language we print.")
    prescription, content = services.download_prescription(
        actor=request.user,
        prescription_id=prescription_id,
        paper=form.cleaned_data["size"],
        language=form.cleaned_data["language"],
    )
    return pdf_response(content, number=prescription.number)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prescription_issue(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    mine = Connection.objects.visible_to(request.user).with_people()
    connection = get_object_or_404(mine, pk=connection_id)
    check_can_issue(request.user, connection)
    if request.method != "POST":
        return _issue_page(request, connection, IssueForm.new(), ItemFormSet(prefix="items"))
    form, rows = IssueForm(request.POST), ItemFormSet(request.POST, prefix="items")
    if "add" in request.POST or "remove" in request.POST:
        changed = rows.unjudged(
            without=request.POST.get("remove", ""), added=int("add" in request.POST)
        )
        return _issue_page(request, connection, form.unjudged(), changed)
    # Both are asked, so that every error shows at once.
    if not all([form.is_valid(), rows.is_valid()]):
        return _issue_page(request, connection, form, rows, status=400)
    try:
        issued = services.issue_prescription(
            actor=request.user,
            connection_id=connection_id,
            items=[row.item() for row in rows.filled()],
            **form.cleaned_data,
        )
    except DomainError as error:
        _add_refusal(form, rows, error)
        return with_status(_issue_page(request, connection, form, rows), error)
    messages.success(request, _("The prescription has been issued."))
    return redirect("prescription-detail", issued.pk)


def _issue_page(
    request: HttpRequest,
    connection: Connection,
    form: IssueForm,
    rows: BaseItemFormSet,
    **options: Any,
) -> HttpResponse:
    context = {"connection": connection, "form": form, "rows": rows}
    return render(request, "prescriptions/issue.html", context, **options)


def _add_refusal(form: IssueForm, rows: BaseItemFormSet, error: DomainError) -> None:
    """Put the service's sentence beside its field; `items.2.frequency` is one of a row's."""
    match (error.attr or "").split("."):
        case ["items", position, field]:
            rows.filled()[int(position)].add_error(field, str(error.detail))
        case _:
            add_refusal(form, error)


def _spoken() -> Language:
    return "ar" if get_language() == "ar" else "en"
