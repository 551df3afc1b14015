"""A person's own connections, and what they do with one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common.pages import FormPage, explained
from common.pagination import feed_page
from connections.forms.requests import AvailabilityForm
from connections.models import Connection, ConnectionRequest
from connections.policies import check_can_set_availability
from connections.services import connections as services


@require_safe
def connection_list(request: HttpRequest) -> HttpResponse:
    """Everyone they are connected with, now or before."""
    connections = Connection.objects.visible_to(request.user).with_people()
    requests = ConnectionRequest.objects.visible_to(request.user)
    context = {
        "page": (page := feed_page(request, connections)),
        "rows": [(row, row.status_for(request.user)) for row in page.rows],
        "waiting_count": requests.waiting(timezone.now()).count(),
    }
    return render(request, "connections/list.html", context)


@require_POST
def connection_end(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    with explained(request):
        services.end_connection(actor=request.user, connection_id=connection_id)
        messages.success(request, _("The connection has ended."))
    return redirect("connection-detail", connection_id)


@require_POST
def connection_block(request: HttpRequest, person_id: UUID) -> HttpResponse:
    blocked = services.block(actor=request.user, person_id=person_id)
    messages.success(request, _("This person is blocked."))
    return redirect("connection-detail", blocked.pk)


@require_POST
def connection_unblock(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """A pair that never was connected is nothing to look at once nobody blocks."""
    with explained(request):
        unblocked = services.unblock(actor=request.user, connection_id=connection_id)
        messages.success(request, _("This person is no longer blocked."))
        if not unblocked.was_made:
            return redirect("connection-list")
    return redirect("connection-detail", connection_id)


class SetAvailability(FormPage):
    """When the patient reaches the doctor."""

    template_name = "connections/availability.html"
    form_class = AvailabilityForm
    connection: Connection

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        mine = Connection.objects.visible_to(request.user).with_people()
        self.connection = get_object_or_404(mine, pk=kwargs["connection_id"])
        check_can_set_availability(request.user, self.connection)
        return super().dispatch(request, *args, **kwargs)

    def get_initial(self) -> dict[str, Any]:
        return AvailabilityForm.initial_of(self.connection)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"connection": self.connection}

    def form_valid(self, form: AvailabilityForm) -> HttpResponse:
        services.set_availability(
            actor=self.request.user, connection_id=self.connection.pk, **form.availability()
        )
        messages.success(self.request, _("The patient sees when to reach you."))
        return redirect("connection-detail", self.connection.pk)
