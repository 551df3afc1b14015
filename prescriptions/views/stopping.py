"""A doctor stops a prescription."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from common.clock import clinic_date
from common.pages import FormPage
from prescriptions.forms.orders import StopForm
from prescriptions.models import Prescription, StopReason
from prescriptions.policies import can_issue, can_stop
from prescriptions.services.claims import standing_claim
from prescriptions.services.reading import open_prescription
from prescriptions.services.stopping import stop_prescription


@method_decorator(never_cache, name="dispatch")
class StopPage(FormPage):
    """Asks why, and says what follows; once it is stopped, says so and what can be done next."""

    template_name = "prescriptions/stop.html"
    form_class = StopForm
    prescription: Prescription

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        issued = Prescription.objects.visible_to(request.user).issued_by(request.user)
        if not issued.filter(pk=kwargs["prescription_id"]).exists():
            raise Http404
        self.prescription = open_prescription(
            actor=request.user, prescription_id=kwargs["prescription_id"]
        )
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """On the page the reasons that may be given; of one that may not, the service tells."""
        reasons = list(StopReason) if self.request.method == "POST" else self._reasons()
        return {**super().get_form_kwargs(), "reasons": reasons}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        claim, reasons = standing_claim(self.prescription), self._reasons()
        is_held = claim is not None and claim.is_standing(timezone.now())
        return super().get_context_data(
            prescription=self.prescription,
            state=self.prescription.state_told(self.request.user, clinic_date()),
            reasons=reasons,
            # Of what is stopped already only that it was a mistake can be said.
            can_stop=len(reasons) > 1,
            claim=claim if is_held else None,
            can_issue=can_issue(self.request.user, self.prescription.connection),
            **kwargs,
        )

    def form_valid(self, form: StopForm) -> HttpResponse:
        stopped = stop_prescription(
            actor=self.request.user,
            prescription_id=self.prescription.pk,
            reason=StopReason(form.cleaned_data["reason"]),
            note=form.cleaned_data["note"],
        )
        if stopped.is_stop_requested:
            messages.success(self.request, _("Stopping the prescription has been asked for."))
        else:
            messages.success(self.request, _("The prescription has been stopped."))
        return redirect("prescription-stop", stopped.pk)

    def _reasons(self) -> list[StopReason]:
        return [
            reason
            for reason in StopReason
            if can_stop(self.request.user, self.prescription, reason)
        ]
