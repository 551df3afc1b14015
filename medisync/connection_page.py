"""The page of one connection, which shows what several apps keep of it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from common.clock import clinic_date
from common.pagination import feed_page
from connections.models import Connection
from prescriptions.models import Prescription
from prescriptions.policies import can_issue


@never_cache
@require_safe
def connection_detail(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """The other person, how the two stand, and the prescriptions between them."""
    mine = Connection.objects.visible_to(request.user).with_people()
    connection = get_object_or_404(mine, pk=connection_id)
    prescriptions = Prescription.objects.visible_to(request.user).with_items()
    page = feed_page(request, prescriptions.filter(connection=connection))
    today = clinic_date()
    context = {
        "connection": connection,
        "person": connection.other_side(request.user),
        "can_issue": can_issue(request.user, connection),
        "page": page,
        "rows": [(prescription, prescription.state(today)) for prescription in page.rows],
    }
    return render(request, "medisync/connection.html", context)
