"""The patient's own verbs on a prescription's paper: another code, and "this was not me"."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from common.pages import explained
from prescriptions.fills import counted
from prescriptions.forms.codes import CodeForm
from prescriptions.models import DispenseClaim, Prescription
from prescriptions.services.codes import reissue_code
from prescriptions.services.disputing import dispute_claim
from prescriptions.services.timeline import amounts, who_holds


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prescription_code(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    """Make another code and PIN; first what that means, and whom it does not stop. The form
    names the code it replaces, so that sending it twice makes one paper."""
    prescription = _own(request, prescription_id)
    form = CodeForm(request.POST)
    if request.method != "POST" or not form.is_valid():
        status = 200 if request.method != "POST" else 400
        return render(request, "prescriptions/code.html", _of_code(prescription), status=status)
    with explained(request):
        reissue_code(actor=request.user, prescription_id=prescription_id, **form.cleaned_data)
        messages.success(
            request, _("There is a new code and PIN. Print it again, or show it from here.")
        )
    return redirect("prescription-detail", prescription_id)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prescription_dispute(
    request: HttpRequest, prescription_id: UUID, claim_id: UUID
) -> HttpResponse:
    """Say that one knows nothing of a pharmacy; first what that means."""
    prescription = _own(request, prescription_id)
    claims = DispenseClaim.objects.filter(prescription=prescription)
    claim = get_object_or_404(claims.prefetch_related("dispenses__item"), pk=claim_id)
    if request.method != "POST":
        return render(request, "prescriptions/dispute.html", _of_claim(prescription, claim))
    with explained(request):
        dispute_claim(actor=request.user, prescription_id=prescription_id, claim_id=claim_id)
        messages.success(
            request,
            _("Thank you for saying so. Administrators look into it, and answer you."),
        )
    return redirect("prescription-detail", prescription_id)


def _of_code(prescription: Prescription) -> dict[str, Any]:
    claim = prescription.claims.standing().filter(expires_at__gt=timezone.now()).first()
    return {
        "prescription": prescription,
        "holder": {"claim": claim, "who": who_holds(claim)} if claim else None,
        "is_own": True,
    }


def _of_claim(prescription: Prescription, claim: DispenseClaim) -> dict[str, Any]:
    return {
        "prescription": prescription,
        "claim": claim,
        "who": who_holds(claim),
        "handed_out": amounts(counted(claim.dispenses.all())),
    }


def _own(request: HttpRequest, prescription_id: UUID) -> Prescription:
    """One of the patient's own."""
    mine = Prescription.objects.visible_to(request.user).filter(patient_id=request.user.pk)
    return get_object_or_404(mine.select_related("doctor"), pk=prescription_id)
