"""Suggestions while a doctor types a medicine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.models import Role
from accounts.policies import check_is_active
from common.lines import is_plain_line
from prescriptions import safety
from prescriptions.models import FrequencyUnit, Prescription, PrescriptionItem, Route

# As far back as a doctor's habits are looked for, in prescriptions; and how many of them count.
RECENT = 1000
MOST_ITEMS = 200
SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A medicine, what its name stands for where it is not the international one, and, of one
    that the doctor has prescribed, how they did the last time.
    Instructions are left out: they may speak of the patient they were written for."""

    medicine: str
    stands_for: str = ""
    is_own: bool = False
    strength: str = ""
    route: str = Route.ORAL
    frequency: int | None = None
    frequency_unit: str = FrequencyUnit.DAY
    as_needed: bool = False
    duration_days: int | None = None
    quantity: int | None = None


def suggest_medicines(*, actor: Any, text: str, limit: int = 10) -> list[Suggestion]:
    """What a name that begins so may become: first what this doctor prescribes, the most often
    prescribed first, then international names. Of fewer than two letters, or of what no name
    holds, nothing."""
    check_is_active(actor, role=Role.DOCTOR)
    text = " ".join(text.split())
    if len(text) < SHORTEST or not is_plain_line(text):
        return []
    own = list(_own(actor, text))[:limit]
    known = {each.medicine.casefold() for each in own}
    names = safety.suggest_names(text, limit)
    others = [
        Suggestion(name, safety.stands_for(name)) for name in names if name.casefold() not in known
    ]
    return (own + others)[:limit]


def _own(doctor: Any, text: str) -> Iterator[Suggestion]:
    """Each medicine and strength once, as it was prescribed last."""
    items = list(_recent_items(doctor, text))
    times = Counter(_name(item) for item in items)
    last = {_name(item): item for item in reversed(items)}
    for name, _count in times.most_common():
        item = last[name]
        yield Suggestion(
            medicine=item.medicine,
            is_own=True,
            strength=item.strength,
            route=item.route,
            frequency=item.frequency,
            frequency_unit=item.frequency_unit,
            as_needed=item.as_needed,
            duration_days=item.duration_days,
            quantity=item.quantity,
        )


def _recent_items(doctor: Any, text: str) -> Iterator[PrescriptionItem]:
    """The newest first."""
    valid = Prescription.objects.exclude(status=Prescription.Status.ENTERED_IN_ERROR)
    recent = valid.issued_by(doctor).order_by("-id").values("pk")[:RECENT]
    items = PrescriptionItem.objects.filter(
        Q(medicine__istartswith=text) | Q(medicine__icontains=f" {text}"), prescription__in=recent
    )
    return items.order_by("-prescription_id", "position")[:MOST_ITEMS].iterator()


def _name(item: PrescriptionItem) -> tuple[str, str]:
    return item.medicine.casefold(), item.strength.casefold()
