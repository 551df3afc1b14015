"""A doctor's own application."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _

from accounts.forms.application import CORRECTION_FORMS
from accounts.models import Status
from accounts.services import applications
from common.pages import FormPage, open_to_applicants


@method_decorator(open_to_applicants, name="dispatch")
class Correction(FormPage):
    """What an application came back for; whoever has nothing to correct is led home."""

    template_name = "accounts/correction.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and request.user.status != Status.RETURNED:
            return redirect("home")
        return super().dispatch(request, *args, **kwargs)

    def get_form_class(self) -> type[Form]:
        return CORRECTION_FORMS[applications.returned_step(self.request.user)]  # type: ignore[arg-type]

    def get_initial(self) -> dict[str, Any]:
        profile = self.request.user.doctor_profile  # type: ignore[union-attr]
        return {
            "first_name": profile.user.first_name,
            "last_name": profile.user.last_name,
            "specialization_id": profile.specialization_id,
            "licence_number": profile.licence_number,
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            review=applications.last_review(self.request.user),  # type: ignore[arg-type]
            **kwargs,
        )

    def form_valid(self, form: Form) -> HttpResponse:
        applications.correct_application(
            actor=self.request.user,  # type: ignore[arg-type]
            changes=form.cleaned_data,
        )
        messages.success(self.request, _("Thank you. Your application is looked at again."))
        return redirect("home")
