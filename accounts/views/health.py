"""What patients and doctors tell about themselves: a page of facts and lists for the one, a
page of their practice for the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.forms import health as forms
from accounts.models import (
    AllergyIntolerance,
    Condition,
    DoctorProfile,
    EmergencyContact,
    HealthEntry,
    MedicationStatement,
    PatientProfile,
    Role,
)
from accounts.policies import check_describes_practice, check_is_active
from accounts.services import health, profiles
from common.pages import FormPage, explained, open_to_applicants


@dataclass(frozen=True, slots=True)
class Section:
    """How one of the lists is shown, and filled in."""

    slug: str
    kind: type[HealthEntry]
    form: type[ModelForm[Any]]
    icon: str
    title: str | Promise
    add: str | Promise
    edit: str | Promise
    empty: str | Promise


SECTIONS = (
    Section(
        "allergies",
        AllergyIntolerance,
        forms.AllergyForm,
        "triangle-alert",
        gettext_lazy("Allergies"),
        gettext_lazy("Add an allergy"),
        gettext_lazy("Edit an allergy"),
        gettext_lazy("No allergies are listed."),
    ),
    Section(
        "conditions",
        Condition,
        forms.ConditionForm,
        "heart-pulse",
        gettext_lazy("Chronic conditions"),
        gettext_lazy("Add a condition"),
        gettext_lazy("Edit a condition"),
        gettext_lazy("No conditions are listed."),
    ),
    Section(
        "medications",
        MedicationStatement,
        forms.MedicationForm,
        "pill",
        gettext_lazy("Medicines you take"),
        gettext_lazy("Add a medicine"),
        gettext_lazy("Edit a medicine"),
        gettext_lazy("No medicines are listed."),
    ),
    Section(
        "emergency-contacts",
        EmergencyContact,
        forms.EmergencyContactForm,
        "phone",
        gettext_lazy("Emergency contacts"),
        gettext_lazy("Add a contact"),
        gettext_lazy("Edit a contact"),
        gettext_lazy("Nobody is listed to be called in an emergency."),
    ),
)
BY_SLUG = {section.slug: section for section in SECTIONS}


def section_of(slug: str) -> Section:
    if slug not in BY_SLUG:
        raise Http404
    return BY_SLUG[slug]


class Health(FormPage):
    """The facts in a form, and the four lists beneath."""

    template_name = "accounts/health.html"
    form_class = forms.FactsForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        check_is_active(request.user, role=Role.PATIENT)
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        profile = get_object_or_404(PatientProfile, user=self.request.user.pk)
        return super().get_form_kwargs() | {"instance": profile}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        lists = [(section, section.kind.objects.of(self.request.user)) for section in SECTIONS]
        return super().get_context_data(**kwargs) | {"lists": lists}

    def form_valid(self, form: ModelForm[Any]) -> HttpResponse:
        health.update_health(actor=self.request.user, changes=form.cleaned_data)
        messages.success(self.request, _("Your changes are saved."))
        return redirect("profile-health")


class EntryPage(FormPage):
    """One line of one list."""

    template_name = "accounts/health_entry.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        check_is_active(request.user, role=Role.PATIENT)
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def section(self) -> Section:
        return section_of(self.kwargs["slug"])

    @cached_property
    def entry(self) -> HealthEntry | None:
        """The line being corrected; None where one is added."""
        if "entry_id" not in self.kwargs:
            return None
        mine = self.section.kind.objects.of(self.request.user)
        entry: HealthEntry = get_object_or_404(mine, pk=self.kwargs["entry_id"])
        return entry

    def get_form_class(self) -> type[ModelForm[Any]]:
        return self.section.form

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"instance": self.entry}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        heading = self.section.edit if self.entry else self.section.add
        shown = {"section": self.section, "entry": self.entry, "heading": heading}
        return super().get_context_data(**kwargs) | shown

    def form_valid(self, form: ModelForm[Any]) -> HttpResponse:
        actor, kind = self.request.user, self.section.kind
        if self.entry is None:
            health.add_entry(actor=actor, kind=kind, values=form.cleaned_data)
        else:
            health.update_entry(
                actor=actor, kind=kind, entry_id=self.entry.pk, changes=form.cleaned_data
            )
        messages.success(self.request, _("Your list is saved."))
        return redirect("profile-health")


@require_POST
def health_remove(request: HttpRequest, slug: str, entry_id: UUID) -> HttpResponse:
    """Take a line off its list."""
    with explained(request):
        health.remove_entry(actor=request.user, kind=section_of(slug).kind, entry_id=entry_id)
        messages.success(request, _("It is off your list."))
    return redirect("profile-health")


@method_decorator(open_to_applicants, name="dispatch")
class Practice(FormPage):
    """What patients read about a doctor."""

    template_name = "accounts/practice.html"
    form_class = forms.PracticeDetailsForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        check_describes_practice(request.user)
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        profile = get_object_or_404(DoctorProfile, user=self.request.user.pk)
        return super().get_form_kwargs() | {"instance": profile}

    def form_valid(self, form: ModelForm[Any]) -> HttpResponse:
        profiles.update_practice(actor=self.request.user, changes=form.cleaned_data)
        messages.success(self.request, _("Your changes are saved."))
        return redirect("profile-practice")
