"""The first page: one address, and for each kind of person what matters to them now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.services.applications import last_review
from chat.services.reading import Line, lines_of, list_chats, with_unread
from common.clock import clinic_date
from common.languages import spoken
from connections.models import Connection, ConnectionRequest, ConnectionRequestQuerySet
from connections.services.access_log import last_visits
from notifications.models import Notification
from prescriptions.fills import course_end
from prescriptions.models import (
    CourseReminder,
    DispenseClaim,
    Prescription,
    RefillRequest,
    RefillRequestQuerySet,
)
from prescriptions.policies import can_request_refill
from prescriptions.services.taken import Medicine, medicines_taken
from prescriptions.sig import dosage_sentence

# As many of each as fit on a phone before one has to scroll for long; the lists have the rest.
SHOWN = 5
VISITS_SHOWN = 3
# For how long a patient is asked on the first page whether a pharmacy was theirs.
ASKED_ABOUT = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Taken:
    """A medicine to take. `ends_on` is the day it runs out, where that is soon or was."""

    medicine: Medicine
    sentence: str
    ends_on: dt.date | None


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
    """The newest round of a doctor's application, with what was decided."""
    return {"review": last_review(user)}


def _patient_home(user: User) -> dict[str, Any]:
    return {
        "prescriptions": _to_take(user)[:SHOWN],
        "claims": _claims(user),
        "refills": _refills(user).order_by("-id")[:SHOWN],
        "connections": _connections(user),
        "requests": _waiting(user).order_by("-id")[:SHOWN],
        "chats": _unread_chats(user),
        "visits": last_visits(actor=user, count=VISITS_SHOWN),
        "notifications": _unread(user),
    }


def _doctor_home(user: User) -> dict[str, Any]:
    mine = Prescription.objects.visible_to(user).issued_by(user).current()
    issued = mine.select_related("patient")
    return {
        "connections": _connections(user),
        "patient_count": Connection.objects.visible_to(user).active().count(),
        "prescriptions": issued[:SHOWN],
        "prescription_count": issued.count(),
        "requests": _waiting(user).order_by("id")[:SHOWN],
        "request_count": _waiting(user).count(),
        "refills": _refills(user).order_by("id")[:SHOWN],
        "refill_count": _refills(user).count(),
        "chats": _awaiting_chats(user),
        "notifications": _unread(user),
    }


def _to_take(user: User) -> list[dict[str, Any]]:
    """What to take, by the prescriptions that say how, the newest first."""
    medicines = medicines_taken(user, clinic_date())
    items = [medicine.item for medicine in medicines]
    connections = Prefetch("prescription__connection", Connection.objects.select_related("doctor"))
    prefetch_related_objects(items, connections, "prescription__refill_requests")
    return [
        {
            "prescription": prescription,
            "medicines": [_taken(medicine) for medicine in together],
            "can_ask_again": can_request_refill(user, prescription),
        }
        for prescription, together in groupby(medicines, attrgetter("item.prescription"))
    ]


def _taken(medicine: Medicine) -> Taken:
    item = medicine.item
    end = course_end(item, item.dispenses.all(), issued_on=item.prescription.issued_on)
    is_soon = end is not None and end <= clinic_date() + CourseReminder.TOLD_BEFORE
    return Taken(medicine, dosage_sentence(item, spoken()), end if is_soon else None)


def _claims(user: User) -> Any:
    """Pharmacies that opened a prescription of late, where the patient has not objected."""
    since = timezone.now() - ASKED_ABOUT
    lately = DispenseClaim.objects.filter(prescription__patient=user, claimed_at__gt=since)
    theirs = lately.filter(disputed_at=None)
    return theirs.select_related("prescription")[:SHOWN]


def _refills(user: User) -> RefillRequestQuerySet:
    """Requests to prescribe the same again that wait, sent or received."""
    return RefillRequest.objects.visible_to(user).pending().with_people()


def _connections(user: User) -> list[tuple[Connection, User]]:
    """The newest connections that stand, each with the person on the other side."""
    found = Connection.objects.visible_to(user).active().with_people()[:SHOWN]
    return [(connection, connection.other_side(user)) for connection in found]


def _waiting(user: User) -> ConnectionRequestQuerySet:
    """Requests without an answer, sent or received."""
    mine = ConnectionRequest.objects.visible_to(user)
    return mine.waiting(timezone.now()).with_people()


def _awaiting_chats(user: User) -> list[Line]:
    """Those in which a patient waits for the doctor's answer, the longest first."""
    awaiting = list_chats(actor=user, awaiting=True).order_by("-turn", "-id")
    return lines_of(actor=user, chats=list(awaiting[:SHOWN]))


def _unread_chats(user: User) -> list[Line]:
    """Those with messages that the patient has not read, the newest first."""
    unread = with_unread(list_chats(actor=user), user).filter(unread_count__gt=0)
    return lines_of(actor=user, chats=list(unread.order_by("-turn", "-id")[:SHOWN]))


def _unread(user: User) -> Any:
    return Notification.objects.visible_to(user).unread().with_about()[:SHOWN]
