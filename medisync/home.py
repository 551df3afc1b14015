"""The first page: one address, and for each kind of person what matters to them now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from common.clock import clinic_date
from connections.models import Connection
from notifications.models import Notification
from prescriptions.models import Prescription, PrescriptionItem
from prescriptions.sig import Language, dosage_sentence

# As many of each as fit on a phone before one has to scroll for long; the lists have the rest.
SHOWN = 5


@login_not_required
@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    user = request.user
    if not user.is_authenticated:
        return render(request, "medisync/landing.html")
    if user.is_staff:
        return redirect("admin:index")
    if not user.is_in_good_standing:
        return render(request, "medisync/home_waiting.html", _application(user))
    if user.is_doctor:
        return render(request, "medisync/home_doctor.html", _doctor_home(user))
    return render(request, "medisync/home_patient.html", _patient_home(user))


def _application(user: User) -> dict[str, Any]:
    """What was last decided about an account that is not active."""
    return {"decision": user.status_changes.filter(to_status=user.status).first()}


def _patient_home(user: User) -> dict[str, Any]:
    active = Prescription.objects.visible_to(user).active(clinic_date()).with_items()
    return {
        "prescriptions": [
            {"prescription": prescription, "medicines": list(_with_dosage(prescription))}
            for prescription in active[:SHOWN]
        ],
        "connections": _connections(user),
        "notifications": _unread(user),
    }


def _doctor_home(user: User) -> dict[str, Any]:
    issued = Prescription.objects.visible_to(user).select_related("patient")
    return {
        "connections": _connections(user),
        "patient_count": Connection.objects.visible_to(user).active().count(),
        "prescriptions": issued[:SHOWN],
        "prescription_count": issued.count(),
        "notifications": _unread(user),
    }


def _with_dosage(prescription: Prescription) -> Iterator[tuple[PrescriptionItem, str]]:
    language = cast("Language", get_language())
    for item in prescription.items.all():
        yield item, dosage_sentence(item, language)


def _connections(user: User) -> list[tuple[Connection, User]]:
    """The newest connections that stand, each with the person on the other side."""
    found = Connection.objects.visible_to(user).active().with_people()[:SHOWN]
    return [(connection, connection.other_side(user)) for connection in found]


def _unread(user: User) -> Any:
    return Notification.objects.visible_to(user).unread()[:SHOWN]
