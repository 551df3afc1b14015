"""What one version of a prescription says otherwise than another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.languages import Language
from prescriptions.sig import Dosage, dosage_sentence


class Medicine(Dosage, Protocol):
    """An item, written or not yet."""

    @property
    def medicine(self) -> str: ...
    @property
    def strength(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def refills(self) -> int: ...
    @property
    def instructions(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was said, and what is said instead; empty where nothing is said."""

    label: str | Promise
    before: str
    after: str


class Fate(StrEnum):
    ADDED = "ADDED"
    REMOVED = "REMOVED"
    CHANGED = "CHANGED"
    KEPT = "KEPT"


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What became of one medicine. `changes` are empty unless it was changed."""

    fate: Fate
    medicine: str
    dosage: str
    changes: tuple[Change, ...] = ()


def changes_of_items(
    before: Iterable[Medicine], after: Iterable[Medicine], language: Language
) -> list[ItemChange]:
    """Every medicine of both, in the order of the later one; those removed come last.

    A medicine is the same one where name and strength are, else where the name is; of several
    of one name the first that is left.
    """
    left = list(before)
    pairs = _paired(left, list(after))
    found = [_item_change(old, new, language) for old, new in pairs]
    return found + [
        ItemChange(Fate.REMOVED, _named(old), dosage_sentence(old, language)) for old in left
    ]


def changes_of_text(pairs: Sequence[tuple[str | Promise, str, str]]) -> list[Change]:
    """Of labelled texts before and after, those that differ."""
    return [Change(*pair) for pair in pairs if pair[1] != pair[2]]


def _paired(left: list[Medicine], after: list[Medicine]) -> list[tuple[Medicine | None, Medicine]]:
    """Each later one with the earlier it continues, which is taken from `left`."""
    partners: dict[int, Medicine] = {}
    for is_same in (_same_medicine, _same_name):
        for place, new in enumerate(after):
            if place in partners:
                continue
            old = next((old for old in left if is_same(old, new)), None)
            if old is not None:
                partners[place] = old
                left.remove(old)
    return [(partners.get(place), new) for place, new in enumerate(after)]


def _same_medicine(old: Medicine, new: Medicine) -> bool:
    return _same_name(old, new) and old.strength.casefold() == new.strength.casefold()


def _same_name(old: Medicine, new: Medicine) -> bool:
    return old.medicine.casefold() == new.medicine.casefold()


def _item_change(old: Medicine | None, new: Medicine, language: Language) -> ItemChange:
    said = (_named(new), dosage_sentence(new, language))
    if old is None:
        return ItemChange(Fate.ADDED, *said)
    both = zip(_texts(old, language), _texts(new, language), strict=True)
    changes = changes_of_text([(label, was, now) for (label, was), (_label, now) in both])
    return ItemChange(Fate.CHANGED if changes else Fate.KEPT, *said, tuple(changes))


def _texts(item: Medicine, language: Language) -> list[tuple[Promise, str]]:
    """All that is said of a medicine, each under its label."""
    return [
        (_("Medicine"), item.medicine),
        (_("Strength"), item.strength),
        (_("How to take it"), dosage_sentence(item, language)),
        (_("Quantity"), str(item.quantity)),
        (_("Refills"), str(item.refills)),
        (_("Instructions"), item.instructions),
    ]


def _named(item: Medicine) -> str:
    return f"{item.medicine} {item.strength}".strip()
