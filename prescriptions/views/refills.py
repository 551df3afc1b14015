"""Asking for the same again, and the answer, on pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from common.languages import spoken
from common.pages import FormPage, explained
from common.pagination import feed_page
from prescriptions.fills import counted
from prescriptions.forms.refills import DeclineForm, RefillForm
from prescriptions.models import Prescription, RefillRequest
from prescriptions.policies import can_issue, check_can_decline_refill, check_can_request_refill
from prescriptions.services import refills
from prescriptions.sig import dosage_sentence

# As many of those that wait as a doctor looks through at once; the others come up behind them.
QUEUE = 20


@never_cache
@require_safe
def refill_list(request: HttpRequest) -> HttpResponse:
    """What waits, the oldest first, and what is over."""
    mine = RefillRequest.objects.visible_to(request.user).with_people().with_items()
    waiting = mine.pending()
    over = mine.exclude(status=RefillRequest.Status.PENDING)
    context = {
        "waiting": [_asked(request.user, row) for row in waiting.order_by("id")[:QUEUE]],
        "waiting_count": waiting.count(),
        "page": feed_page(request, over),
    }
    return render(request, "prescriptions/refills.html", context)


def _asked(user: Any, row: RefillRequest) -> dict[str, Any]:
    """One request, with what the prescriber looks at before answering."""
    prescription = row.prescription
    until = prescription.told_until(user)
    dispensed = [
        dispense.dispensed_at
        for item in prescription.items.all()
        for dispense in counted(item.dispenses.all(), until=until)
    ]
    return {
        "row": row,
        "items": [(item, dosage_sentence(item, spoken())) for item in prescription.items.all()],
        "last_dispensed_at": max(dispensed, default=None),
        "can_issue": can_issue(user, prescription.connection),
    }


@method_decorator(never_cache, name="dispatch")
class RefillRequestPage(FormPage):
    """A patient asks for the same again."""

    template_name = "prescriptions/refill.html"
    form_class = RefillForm
    prescription: Prescription

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        mine = Prescription.objects.visible_to(request.user).with_items()
        self.prescription = get_object_or_404(mine, pk=kwargs["prescription_id"])
        check_can_request_refill(request.user, self.prescription)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        items = [(item, dosage_sentence(item, spoken())) for item in self.prescription.items.all()]
        return super().get_context_data(**kwargs) | {
            "prescription": self.prescription,
            "items": items,
        }

    def form_valid(self, form: RefillForm) -> HttpResponse:
        refills.request_refill(
            actor=self.request.user,
            prescription_id=self.prescription.pk,
            note=form.cleaned_data["note"],
        )
        messages.success(self.request, _("The doctor is asked. You are told of the answer."))
        return redirect("prescription-detail", self.prescription.pk)


@method_decorator(never_cache, name="dispatch")
class DeclinePage(FormPage):
    """A doctor says no, and why."""

    template_name = "prescriptions/refill_decline.html"
    form_class = DeclineForm
    asked: RefillRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        mine = RefillRequest.objects.visible_to(request.user).with_people().with_items()
        self.asked = get_object_or_404(mine, pk=kwargs["request_id"])
        check_can_decline_refill(request.user, self.asked)
        if not self.asked.is_pending:
            raise refills.RequestAnswered
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | _asked(self.request.user, self.asked)

    def form_valid(self, form: DeclineForm) -> HttpResponse:
        refills.decline_refill(
            actor=self.request.user, request_id=self.asked.pk, reason=form.cleaned_data["reason"]
        )
        messages.success(self.request, _("The request is declined, and the patient is told."))
        return redirect("refill-list")


@require_POST
def refill_cancel(request: HttpRequest, request_id: UUID) -> HttpResponse:
    asked = RefillRequest.objects.visible_to(request.user).filter(pk=request_id).first()
    if asked is None:
        raise Http404
    with explained(request):
        refills.cancel_refill(actor=request.user, request_id=request_id)
        messages.success(request, _("The doctor is no longer asked."))
    return redirect("prescription-detail", asked.prescription_id)
