"""Finding a doctor, and a doctor's page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import DoctorProfile, User
from accounts.services.directory import find_doctors
from accounts.services.specializations import popular_specializations
from connections.forms.directory import SearchForm
from connections.models import Connection, ConnectionRequest

SHOWN = 20
# As many specialties to begin with as fill a phone.
POPULAR = 12


@require_safe
def doctor_list(request: HttpRequest) -> HttpResponse:
    """Everybody at first, with the specialties that most of them practise; then whoever answers
    what is typed and chosen."""
    form = SearchForm(request.GET)
    context: dict[str, Any] = {"form": form}
    if not form.is_valid():
        return render(request, "connections/doctors.html", context, status=400)
    found = find_doctors(form.wanted, cursor=request.GET.get("cursor", ""), size=SHOWN)
    is_open = not any(form.cleaned_data.values())
    context |= {
        "doctors": found.doctors,
        "older": _next_page(request, found.next),
        "is_open": is_open,
        "popular": popular_specializations(POPULAR) if is_open else [],
    }
    return render(request, "connections/doctors.html", context)


@require_safe
def doctor_detail(request: HttpRequest, doctor_id: UUID) -> HttpResponse:
    """What a practice tells, and how to come to it."""
    profile = get_object_or_404(DoctorProfile.objects.listed(), user_id=doctor_id)
    context = {"profile": profile, "doctor": profile.user, **_ties(request.user, profile.user)}
    return render(request, "connections/doctor.html", context)


def _ties(user: Any, doctor: User) -> dict[str, Any]:
    """How the reader and the doctor stand: connected, waiting for an answer, or neither."""
    between = {"patient": user, "doctor": doctor}
    connections = Connection.objects.visible_to(user).active()
    waiting = ConnectionRequest.objects.visible_to(user).waiting(timezone.now())
    return {
        "connection": connections.filter(**between).first(),
        "asked": waiting.filter(**between).first(),
    }


def _next_page(request: HttpRequest, cursor: str) -> str:
    """The same search, from where this page ends."""
    if not cursor:
        return ""
    query = request.GET.copy()
    query["cursor"] = cursor
    return f"?{query.urlencode()}"
