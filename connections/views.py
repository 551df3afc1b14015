"""A person's own connections, and ending one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common.pages import explained
from common.pagination import feed_page
from connections import services
from connections.models import Connection


@require_safe
def connection_list(request: HttpRequest) -> HttpResponse:
    """Everyone they are connected with, now or before."""
    connections = Connection.objects.visible_to(request.user).with_people()
    return render(request, "connections/list.html", {"page": feed_page(request, connections)})


@require_POST
def connection_end(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    with explained(request):
        services.end_connection(actor=request.user, connection_id=connection_id)
        messages.success(request, _("The connection has ended."))
    return redirect("connection-detail", connection_id)
