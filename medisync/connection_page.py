"""The page of one connection, which shows what several apps keep of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chat.models import Chat
from chat.policies import can_converse
from common.clock import clinic_date
from common.pagination import feed_page
from connections.models import AccessGrant, Connection
from connections.services.requests import may_ask
from prescriptions.policies import can_issue
from prescriptions.services.reading import list_of_connection


@never_cache
@require_safe
def connection_detail(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """The other person, how the two stand, and the prescriptions between them."""
    mine = Connection.objects.visible_to(request.user).with_people()
    connection = get_object_or_404(mine, pk=connection_id)
    with transaction.atomic():
        prescriptions = list_of_connection(actor=request.user, connection_id=connection_id)
        page = feed_page(request, prescriptions)
    today = clinic_date()
    context = {
        "connection": connection,
        **_standing(connection, request.user),
        **_sharing(connection, request.user),
        "can_converse": can_converse(request.user, connection),
        "has_chat": Chat.objects.visible_to(request.user).filter(connection=connection).exists(),
        "can_issue": can_issue(request.user, connection),
        "page": page,
        "rows": [
            (prescription, prescription.state_told(request.user, today))
            for prescription in page.rows
        ],
    }
    return render(request, "medisync/connection.html", context)


def _standing(connection: Connection, user: Any) -> dict[str, Any]:
    """How the two stand, as this side may know it."""
    may_come_back = user.pk == connection.patient_id and not connection.is_active
    return {
        "person": connection.other_side(user),
        "standing": connection.status_for(user),
        "blocked_since": connection.blocked_at(user),
        "can_ask": may_come_back and may_ask(actor=user, doctor_id=connection.doctor_id),
    }


def _sharing(connection: Connection, user: Any) -> dict[str, Any]:
    """What the doctor sees of the patient by the patient's choice."""
    standing = AccessGrant.objects.visible_to(user).standing().select_related("connection__doctor")
    grant = standing.filter(connection=connection).first()
    now = timezone.now()
    return {
        "grant": grant,
        "grant_is_in_force": grant is not None and grant.is_in_force(now),
        "grant_has_run_out": grant is not None and grant.has_run_out(now),
    }
