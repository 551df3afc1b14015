"""The delivery ledger: what mail was owed to whom, each attempt, and who could not be reached.
What the mails said is not here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.middleware import device_session
from accounts.services.deliveries import try_again
from common.admin import BoundedPaginator, LookOnly
from common.errors import DomainError
from common.pages import explained
from notifications.models import EmailDelivery, Unreached

DELIVERY_PAGE = "admin:notifications_emaildelivery_change"


@admin.register(EmailDelivery)
class EmailDeliveryAdmin(LookOnly, admin.ModelAdmin[EmailDelivery]):
    list_display = ("created_at", "kind", "to_address", "status", "attempts", "last_error")
    list_filter = ("status", "kind")
    search_fields = ("to_address",)
    paginator = BoundedPaginator
    show_full_result_count = False

    def get_urls(self) -> list[URLPattern]:
        retry = self.admin_site.admin_view(require_POST(self.retry))
        return [path("<uuid:pk>/retry/", retry, name="delivery_retry"), *super().get_urls()]

    @method_decorator(require_safe)
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One e-mail: to whom, how it stands, and what came of each attempt."""
        try:
            delivery = get_object_or_404(self.get_queryset(request), pk=object_id)
        except ValidationError as error:
            raise Http404 from error
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": delivery.get_kind_display(),
            "original": delivery,
            "tries": delivery.tries.all(),
            "has_failed": delivery.status == EmailDelivery.Status.FAILED,
        }
        return TemplateResponse(request, "admin/notifications/delivery.html", context)

    def retry(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        with explained(request):
            try_again(session=device_session(request), delivery_id=pk)
            messages.success(request, _("The e-mail is on its way again."))
        return redirect(DELIVERY_PAGE, pk)


@admin.register(Unreached)
class UnreachedAdmin(LookOnly, admin.ModelAdmin[Unreached]):
    list_display = ("created_at", "kind", "to_address", "attempts", "last_error")
    list_filter = ("kind",)
    search_fields = ("to_address",)
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = ("try_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Unreached]:
        return super().get_queryset(request).filter(status=EmailDelivery.Status.FAILED)

    @method_decorator(require_safe)
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """An e-mail is looked at on its own page."""
        return redirect(DELIVERY_PAGE, object_id)

    @admin.action(description=_("Try again"))
    def try_again(self, request: HttpRequest, chosen: QuerySet[Unreached]) -> None:
        """One by one: what cannot be sent again says so, and keeps none of the others."""
        session, tried, refused = device_session(request), 0, set()
        for delivery_id in chosen.values_list("pk", flat=True):
            try:
                try_again(session=session, delivery_id=delivery_id)
                tried += 1
            except DomainError as error:
                refused.add(str(error.detail))
        if tried:
            said = ngettext(
                "%(n)s e-mail is on its way again.", "%(n)s e-mails are on their way again.", tried
            )
            messages.success(request, said % {"n": tried})
        for sentence in sorted(refused):
            messages.error(request, sentence)
