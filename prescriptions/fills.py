"""How much of an item may be handed out, and when. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from common.clock import clinic_date
from prescriptions.models import MedicationDispense, PrescriptionItem

# A refill is due once this share of the days of the fill before has passed, counted from the
# day that fill was begun: what is fetched in two parts lasts no longer.
DUE_AFTER = 0.75


@dataclass(frozen=True, slots=True)
class Fill:
    """Where the dispensing of one item stands. `number` counts from 0, the first fill, to the
    number of refills; `left` is what is missing of this fill, `left_in_all` of all together;
    before `opens_on` nothing of it is handed out."""

    number: int
    left: int
    left_in_all: int
    opens_on: dt.date | None

    @property
    def is_done(self) -> bool:
        return self.left_in_all == 0

    def available(self, on: dt.date) -> int:
        """How much may be handed out on that day."""
        return 0 if self.opens_on is not None and on < self.opens_on else self.left


def counted(
    dispenses: Iterable[MedicationDispense], *, until: dt.datetime | None = None
) -> list[MedicationDispense]:
    """Those that were not withdrawn; with `until`, those that were there then."""
    if until is None:
        return [dispense for dispense in dispenses if dispense.withdrawn_at is None]
    return [
        dispense
        for dispense in dispenses
        if dispense.dispensed_at <= until
        and (dispense.withdrawn_at is None or dispense.withdrawn_at > until)
    ]


def fill_of(
    item: PrescriptionItem,
    dispenses: Iterable[MedicationDispense],
    *,
    until: dt.datetime | None = None,
) -> Fill:
    """The fill that an item has come to, or had come to by then."""
    given_out = counted(dispenses, until=until)
    given = sum(dispense.quantity for dispense in given_out)
    left_in_all = item.total_quantity - given
    number, in_fill = divmod(given, item.quantity)
    opens_on = None
    if given_out and in_fill == 0 and left_in_all:
        opens_on = clinic_date(_last_fill_begun(given_out, item)) + _until_due(item)
    left = item.quantity - in_fill if left_in_all else 0
    return Fill(min(number, item.refills), left, left_in_all, opens_on)


def _last_fill_begun(given_out: list[MedicationDispense], item: PrescriptionItem) -> dt.datetime:
    """When the first part of the fill that was completed last was handed out."""
    left = item.quantity
    for dispense in sorted(given_out, key=lambda dispense: dispense.dispensed_at, reverse=True):
        left -= dispense.quantity
        if left <= 0:
            break
    return dispense.dispensed_at


def course_end(
    item: PrescriptionItem, dispenses: Iterable[MedicationDispense], *, issued_on: dt.date
) -> dt.date | None:
    """The day on which what was handed out runs out: each fill lasts from its first dispense or,
    where it was fetched before the one before it ran out, from then on. While nothing was
    dispensed, from the day of issue. None where no duration was ordered."""
    if item.duration_days is None:
        return None
    lasts = dt.timedelta(days=item.duration_days)
    begun = [clinic_date(at) for at in _fills_begun(item, dispenses)]
    if not begun:
        return issued_on + lasts
    ends = begun[0]
    for day in begun:
        ends = max(ends, day) + lasts
    return ends


def _fills_begun(
    item: PrescriptionItem, dispenses: Iterable[MedicationDispense]
) -> Iterator[dt.datetime]:
    """When the first part of each fill was handed out."""
    given = 0
    for dispense in sorted(counted(dispenses), key=lambda one: one.dispensed_at):
        if given % item.quantity == 0:
            yield dispense.dispensed_at
        given += dispense.quantity


def _until_due(item: PrescriptionItem) -> dt.timedelta:
    return dt.timedelta(days=math.ceil((item.duration_days or 1) * DUE_AFTER))
