"""A person's own notifications."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common.pages import FormPage, open_to_applicants
from common.pagination import feed_page
from notifications import services
from notifications.forms import PreferencesForm
from notifications.models import Notification
from notifications.wording import MANDATORY, Kind, events_for

ICONS: dict[str, str] = {
    Kind.NEW_DEVICE: "monitor-smartphone",
    Kind.PASSWORD_CHANGED: "key-round",
    Kind.EMAIL_CHANGED: "at-sign",
    Kind.FACTOR_CHANGED: "shield-check",
    Kind.PASSKEY_COPIED: "shield-alert",
    Kind.IDENTITY_LINKED: "shield-plus",
    Kind.ACCOUNT_CLOSED: "user-round-x",
    Kind.ACCOUNT_REOPENED: "user-round-check",
    Kind.ROLE_CHANGED: "user-round-cog",
    Kind.LICENCE_CHANGED: "id-card",
    Kind.NAME_CHANGED: "user-round-pen",
    Kind.LICENCE_ENDING: "calendar-clock",
    Kind.EXPORT_READY: "download",
    Kind.DOCTOR_APPROVED: "badge-check",
    Kind.DOCTOR_RETURNED: "undo-2",
    Kind.DOCTOR_REJECTED: "circle-x",
    Kind.MESSAGE_RECEIVED: "message-circle",
    Kind.CONNECTION_MADE: "link",
    Kind.CONNECTION_ENDED: "unlink",
    Kind.CONNECTION_REQUESTED: "user-round-plus",
    Kind.REQUEST_ACCEPTED: "user-round-check",
    Kind.REQUEST_REJECTED: "user-round-x",
    Kind.REQUEST_CANCELLED: "user-round-minus",
    Kind.REQUEST_EXPIRED: "hourglass",
    Kind.GRANT_CHANGED: "eye",
    Kind.GRANT_REVOKED: "eye-off",
    Kind.GRANT_ENDING: "calendar-clock",
    Kind.GRANT_DORMANT: "hourglass",
    Kind.ACCESS_QUESTIONED: "message-circle-question-mark",
    Kind.ACCESS_ANSWERED: "message-circle-reply",
    Kind.CASES_OVERDUE: "clock-alert",
    Kind.PRESCRIPTION_ISSUED: "pill",
    Kind.PRESCRIPTION_AMENDED: "pill",
    Kind.PRESCRIPTION_STOPPED: "circle-stop",
    Kind.PRESCRIPTION_CLAIMED: "store",
    Kind.PRESCRIPTION_DISPENSED: "package-check",
    Kind.DISPENSE_WITHDRAWN: "undo-2",
    Kind.PRESCRIPTION_LOCKED: "lock",
    Kind.COURSE_ENDING: "hourglass",
    Kind.REFILL_REQUESTED: "repeat",
    Kind.REFILL_DECLINED: "repeat",
    Kind.EMERGENCY_CARD_OPENED: "siren",
    Kind.LINK_MADE: "link",
    Kind.LINK_OPENED: "link",
    Kind.LINK_LOCKED: "lock",
}


@open_to_applicants
@require_safe
def notification_list(request: HttpRequest) -> HttpResponse:
    """All of them, or with `?unread=1` those that were not read."""
    told = Notification.objects.visible_to(request.user).with_about()
    is_unread = request.GET.get("unread") == "1"
    page = feed_page(request, told.unread() if is_unread else told)
    rows = [(notification, ICONS.get(notification.kind, "bell")) for notification in page.rows]
    context = {"page": page, "rows": rows, "is_unread": is_unread}
    return render(request, "notifications/list.html", context)


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


@method_decorator(open_to_applicants, name="dispatch")
class NotificationPreferences(FormPage):
    """Quiet hours, and by which ways this person is told of what."""

    template_name = "notifications/preferences.html"
    form_class = PreferencesForm

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        del kwargs["initial"]
        return kwargs | {"wishes": services.preferences_of(self.request.user)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kinds = events_for(self.request.user.role)  # type: ignore[union-attr]
        mandatory = [kind for kind in kinds if kind in MANDATORY]
        return super().get_context_data(**kwargs) | {"mandatory": mandatory}

    def form_valid(self, form: PreferencesForm) -> HttpResponse:
        services.set_preferences(
            actor=self.request.user,
            quiet_from=form.cleaned_data["quiet_from"],
            quiet_until=form.cleaned_data["quiet_until"],
            events=form.choices(),
        )
        messages.success(self.request, _("Saved."))
        return redirect("notification-preferences")
