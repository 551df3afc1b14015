"""What a patient may be taking of what was prescribed to them: one rule for whoever asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch

from common.clock import clinic_date, clinic_midnight
from prescriptions.fills import counted, course_end
from prescriptions.models import Prescription, PrescriptionItem, PrescriptionQuerySet

# A prescription is good for a year at most; what is fetched on its last day lasts as long, and
# begins, where refills were fetched early, a third of a year later.
LONGEST = dt.timedelta(days=3 * PrescriptionItem.MAX_DURATION_DAYS)
# How long a medicine is thought to be taken for which no duration was ordered.
WITHOUT_DURATION = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Medicine:
    """One medicine to take, as the newest prescription that names it orders it, and in how many
    older ones it stands as well."""

    item: PrescriptionItem
    also_in: int


def items_taken(patient: Any, on: dt.date) -> list[PrescriptionItem]:
    """What can be fetched still, and what was fetched and has not run out, also of what is
    completed or past its last day since; the newest first, each with its prescription. Nothing of
    what was stopped, is being stopped, was replaced or written by mistake."""
    orders = Prescription.objects.going_on().filter(
        patient=patient, issued_at__gte=clinic_midnight(on - LONGEST)
    )
    items = PrescriptionItem.objects.filter(prescription__in=orders)
    found = items.select_related("prescription").prefetch_related("dispenses")
    return [item for item in found.order_by("-prescription_id", "position") if is_taken(item, on)]


def medicines_taken(patient: Any, on: dt.date) -> list[Medicine]:
    """What is taken, the newest first, each medicine told once however often it was prescribed
    again: read line by line, two prescriptions of it would be twice the dose. Other strengths, and
    other routes, are other medicines; what one prescription orders twice is meant twice."""
    items = items_taken(patient, on)
    found: dict[Hashable, list[PrescriptionItem]] = {}
    for item in items:
        found.setdefault(_same(item), []).append(item)
    return [
        Medicine(item, len({one.prescription_id for one in found[_same(item)]}) - 1)
        for item in items
        if item.prescription_id == found[_same(item)][0].prescription_id
    ]


def prescriptions_taken(patient: Any, on: dt.date) -> PrescriptionQuerySet:
    """The prescriptions of which something is taken, the newest first. What is loaded as their
    items, and what was dispensed of them, is the `medicines_taken` alone."""
    taken = [medicine.item.pk for medicine in medicines_taken(patient, on)]
    items = PrescriptionItem.objects.filter(pk__in=taken)
    loaded = Prefetch("items", items.prefetch_related("dispenses"))
    return Prescription.objects.filter(pk__in=items.values("prescription")).prefetch_related(loaded)


def is_taken(item: PrescriptionItem, on: dt.date) -> bool:
    """Whether one item, of a prescription that goes on, can be fetched still, or was fetched and
    has not run out."""
    prescription = item.prescription
    if prescription.is_active(on):
        return True
    given = counted(item.dispenses.all())
    if not given:
        return False
    end = course_end(item, given, issued_on=prescription.issued_on)
    return on <= (end or clinic_date(given[0].dispensed_at) + WITHOUT_DURATION)


def _same(item: PrescriptionItem) -> Hashable:
    """What makes two items one medicine, however it was typed."""
    written = (item.medicine, item.strength)
    return (*("".join(words.split()).casefold() for words in written), item.route)
