"""A person's own notifications."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from common.pages import open_to_applicants
from common.pagination import feed_page
from notifications import services
from notifications.models import Notification
from notifications.wording import Kind

ICONS: dict[str, str] = {
    Kind.DOCTOR_APPROVED: "badge-check",
    Kind.CONNECTION_MADE: "link",
    Kind.CONNECTION_ENDED: "unlink",
    Kind.PRESCRIPTION_ISSUED: "pill",
}


@open_to_applicants
@require_safe
def notification_list(request: HttpRequest) -> HttpResponse:
    page = feed_page(request, Notification.objects.visible_to(request.user))
    rows = [(notification, ICONS.get(notification.kind, "bell")) for notification in page.rows]
    return render(request, "notifications/list.html", {"page": page, "rows": rows})


@open_to_applicants
@require_POST
def notification_open(request: HttpRequest, notification_id: UUID) -> HttpResponse:
    """Mark it read and go where it points, which is always a page of this site."""
    notification = services.mark_read(actor=request.user, notification_id=notification_id)
    is_path = url_has_allowed_host_and_scheme(notification.url, allowed_hosts=None)
    return HttpResponseRedirect(notification.url if is_path else reverse("notification-list"))


@open_to_applicants
@require_POST
def notification_read_all(request: HttpRequest) -> HttpResponse:
    services.mark_all_read(actor=request.user)
    return redirect("notification-list")


@open_to_applicants
@require_POST
def notification_delete(request: HttpRequest, notification_id: UUID) -> HttpResponse:
    services.delete_notification(actor=request.user, notification_id=notification_id)
    return redirect("notification-list")
