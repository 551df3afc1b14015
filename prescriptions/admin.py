"""Pharmacies approved for controlled medicines. No prescription is seen here."""

from __future__ import annotations

from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.middleware import device_session
from common.admin import LookOnly
from common.errors import DomainError
from common.pages import add_refusal, explained, with_status
from prescriptions.forms.pharmacies import ApproveForm
from prescriptions.models import ApprovedPharmacy
from prescriptions.services import pharmacies as services

LIST = "admin:prescriptions_approvedpharmacy_changelist"


@admin.register(ApprovedPharmacy)
class ApprovedPharmacyAdmin(LookOnly, admin.ModelAdmin[ApprovedPharmacy]):
    """The list. An access code is in the answer to the act that makes it and nowhere else."""

    list_display = ("name", "licence_number", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "licence_number")
    fields = list_display
    readonly_fields = list_display
    change_form_template = "admin/prescriptions/approvedpharmacy/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("new/", view(self.approve), name="pharmacy_approve"),
            path("<uuid:pk>/renew/", view(self.renew), name="pharmacy_renew"),
            path("<uuid:pk>/deactivate/", view(self.deactivate), name="pharmacy_deactivate"),
            *super().get_urls(),
        ]

    @method_decorator([never_cache, require_http_methods(["GET", "HEAD", "POST"])])
    def approve(self, request: HttpRequest) -> HttpResponse:
        """Put a pharmacy on the list."""
        form = ApproveForm(request.POST or None)
        if not form.is_valid():
            return self._form(request, form, status=400 if form.is_bound else 200)
        try:
            coded = services.approve_pharmacy(session=device_session(request), **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return with_status(self._form(request, form), error)
        return self._code(request, coded)

    @method_decorator([never_cache, require_POST])
    def renew(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Give it another access code."""
        coded = services.renew_access_code(session=device_session(request), pharmacy_id=pk)
        return self._code(request, coded)

    @method_decorator(require_POST)
    def deactivate(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Take it off the list."""
        with explained(request):
            services.deactivate_pharmacy(session=device_session(request), pharmacy_id=pk)
            messages.success(request, _("It dispenses no controlled medicines any more."))
        return redirect(LIST)

    def _form(self, request: HttpRequest, form: ApproveForm, status: int = 200) -> HttpResponse:
        return self._page(request, "approve", _("Approve a pharmacy"), status, form=form)

    def _code(self, request: HttpRequest, coded: services.CodedPharmacy) -> HttpResponse:
        return self._page(request, "code", _("Access code"), 200, coded=coded)

    def _page(
        self, request: HttpRequest, name: str, title: object, status: int, **context: object
    ) -> HttpResponse:
        context |= self.admin_site.each_context(request) | {"opts": self.opts, "title": title}
        template = f"admin/prescriptions/approvedpharmacy/{name}.html"
        return TemplateResponse(request, template, context, status=status)
