"""One prescription on a page: to its patient and its prescriber with all that became of it, to
who reads it by the patient's grant the order alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from common.clock import clinic_date
from common.languages import spoken
from common.qr import qr_svg
from prescriptions.differences import Change, ItemChange, changes_of_items, changes_of_text
from prescriptions.fills import counted
from prescriptions.findings import kept_report
from prescriptions.forms.orders import PrintForm
from prescriptions.models import DispenseClaim, Prescription, StopReason
from prescriptions.policies import can_amend, can_issue, can_request_refill, can_stop
from prescriptions.services.reading import open_prescription
from prescriptions.services.timeline import (
    Event,
    History,
    What,
    amounts,
    history_of,
    timeline,
    who_holds,
)
from prescriptions.sig import dosage_sentence

# How each event looks: an icon, and a tone.
LOOKS: dict[What, tuple[str, str]] = {
    What.ISSUED: ("pill", "success"),
    What.AMENDED: ("replace", "info"),
    What.STOP_REQUESTED: ("ban", "warning"),
    What.STOPPED: ("ban", "danger"),
    What.ENTERED_IN_ERROR: ("circle-x", "danger"),
    What.COMPLETED: ("check", "success"),
    What.CODE_REPLACED: ("key-round", "info"),
    What.CLAIMED: ("store", "info"),
    What.DISPENSED: ("package-check", "success"),
    What.DISPENSE_WITHDRAWN: ("undo-2", "warning"),
    What.RETURNED: ("undo-2", "neutral"),
    What.CLAIM_EXPIRED: ("clock", "neutral"),
    What.DISPUTED: ("flag", "danger"),
    What.REFILL_REQUESTED: ("message-square-text", "info"),
    What.REFILL_ISSUED: ("circle-check", "success"),
    What.REFILL_DECLINED: ("circle-x", "warning"),
    What.REFILL_CANCELLED: ("x", "neutral"),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """What one pharmacy did with it."""

    claim: DispenseClaim
    who: str
    is_standing: bool
    is_disputed: bool

    @property
    def handed_out(self) -> str:
        return amounts(counted(self.claim.dispenses.all()))


@dataclass(frozen=True, slots=True)
class Version:
    """One version, and what it says otherwise than the one before."""

    prescription: Prescription
    state: Prescription.State
    items: list[ItemChange]
    texts: list[Change]


@never_cache
@require_safe
def prescription_detail(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    user: Any = request.user
    prescription = open_prescription(actor=user, prescription_id=prescription_id)
    is_shared = prescription.is_shared_with(user)
    has_code = prescription.gives_code_to(user)
    is_dispensable = has_code and prescription.is_dispensable(clinic_date())
    context = {
        "prescription": prescription,
        "is_shared": is_shared,
        "is_own": user.pk == prescription.patient_id,
        "is_author": user.pk == prescription.doctor_id,
        "is_dispensable": is_dispensable,
        "state": prescription.state_told(user, clinic_date()),
        "items": [(item, dosage_sentence(item, spoken())) for item in prescription.items.all()],
        "qr": qr_svg(prescription.verification_url) if is_dispensable else "",
        "print_form": PrintForm(initial={"language": spoken()}),
    }
    if not is_shared:
        context |= _story(user, prescription) | _verbs(user, prescription)
    return render(request, "prescriptions/detail.html", context)


def _story(user: User, prescription: Prescription) -> dict[str, Any]:
    """What became of it, for the two whom it is about; to a prescriber who has parted from the
    patient, what pharmacies did until then."""
    history = history_of(prescription, user)
    fills = history.fills(prescription)
    visits = list(_visits(history, prescription))
    return {
        "fills": [(item, fill, item.total_quantity - fill.left_in_all) for item, fill in fills],
        "holder": next((visit for visit in visits if visit.is_standing), None),
        "visits": visits,
        "events": [_looking(event) for event in timeline(history)],
        "current": history.versions[0],
        "versions": list(_compared(history.versions, user)),
        "request_row": next(iter(history.requests), None),
        "report": kept_report(prescription, user, spoken()),
    }


def _verbs(user: User, prescription: Prescription) -> dict[str, bool]:
    """What this reader may do with it now."""
    connection, now = prescription.connection, timezone.now()
    return {
        "can_amend": can_amend(user, connection, prescription, now),
        "can_stop": can_stop(user, prescription, StopReason.ENTERED_IN_ERROR),
        "can_repeat": can_issue(user, connection),
        "can_ask_again": can_request_refill(user, prescription),
    }


def _visits(history: History, prescription: Prescription) -> Iterator[Visit]:
    now = timezone.now()
    for claim in history.claims:
        if claim.prescription_id == prescription.pk:
            yield Visit(
                claim=claim,
                who=who_holds(claim),
                is_standing=claim.is_standing(now),
                is_disputed=claim.disputed_at is not None,
            )


def _looking(event: Event) -> tuple[Event, str, str]:
    return (event, *LOOKS[event.what])


def _compared(versions: list[Prescription], user: User) -> Iterator[Version]:
    """The newest first, each against the one before; none where there was one only."""
    if len(versions) == 1:
        return
    today = clinic_date()
    for place, version in enumerate(versions):
        older = versions[place + 1] if place + 1 < len(versions) else None
        yield Version(
            prescription=version,
            state=version.state_told(user, today),
            items=list(_changed(older, version)) if older else [],
            texts=changes_of_text(_texts(older, version)) if older else [],
        )


def _changed(older: Prescription, newer: Prescription) -> Iterable[ItemChange]:
    found = changes_of_items(older.items.all(), newer.items.all(), spoken())
    return (change for change in found if change.fate != "KEPT")


def _texts(older: Prescription, newer: Prescription) -> list[tuple[str, str, str]]:
    return [
        (_("Diagnosis"), older.diagnosis, newer.diagnosis),
        (_("Notes"), older.notes, newer.notes),
        (_("Valid until"), date_format(older.valid_until), date_format(newer.valid_until)),
    ]
