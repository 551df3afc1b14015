"""The data files of the safety check, read once. `data/README.md` says where each comes from."""

from __future__ import annotations

import csv
import tomllib
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

DATA = Path(__file__).parent / "data"
CLASS_MARK = "@"

T = TypeVar("T")


class Severity(StrEnum):
    """From the worst to the mildest."""

    CONTRAINDICATED = "CONTRAINDICATED"
    SERIOUS = "SERIOUS"
    CAUTION = "CAUTION"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact is taken from, and of what day that is (ISO 8601, as exact as known)."""

    title: str
    date: str


@dataclass(frozen=True, slots=True)
class Substance:
    """One active substance under its international non-proprietary name. Controlled is what
    stands in the UN schedules, or is known here to be controlled by a country."""

    name: str
    atc: tuple[str, ...]
    synonyms: tuple[str, ...]
    arabic: tuple[str, ...]
    is_controlled: bool


@dataclass(frozen=True, slots=True)
class NationalControl:
    """That a country (ISO 3166) controls a substance."""

    country: str
    substance: str
    source: Source


@dataclass(frozen=True, slots=True)
class Product:
    """A name that stands for other names' substances: a brand, or a fixed combination."""

    names: tuple[str, ...]
    substances: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Substances that have something in common.

    Where `names` are given, people know the group by them, and it is found in free text.
    `allergy` is how serious it is that who is allergic to one member is given another, and
    `duplicate` that one is given two members; None where that is no matter. Of a repeatable
    group, such as the insulins, even one member is given in two kinds.
    """

    id: str
    label_en: str
    label_ar: str
    names: tuple[str, ...]
    members: frozenset[str]
    allergy: Severity | None
    duplicate: Severity | None
    is_repeatable: bool
    source: Source


@dataclass(frozen=True, slots=True)
class Cross:
    """Who is allergic to the one group may react to the other, either way round."""

    groups: frozenset[str]
    severity: Severity
    source: Source


@dataclass(frozen=True, slots=True)
class Interaction:
    """Two sides that should not meet in one patient. `effect` is a code of `sentences.py`."""

    left: frozenset[str]
    right: frozenset[str]
    severity: Severity
    effect: str
    source: Source

    def joins(self, one: frozenset[str], other: frozenset[str]) -> bool:
        """Whether it speaks of a substance of the one and a different one of the other."""
        return _meet(one & self.left, other & self.right) or _meet(
            one & self.right, other & self.left
        )


class Catalogue:
    """All that is known of medicines here."""

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        return {name: Source(**row) for name, row in _toml("sources.toml").items()}

    @cached_property
    def substances(self) -> Mapping[str, Substance]:
        national = {rule.substance for rule in self.national}
        rows = (_substance(row, national) for row in _csv("substances.csv"))
        return {row.name: row for row in rows}

    @cached_property
    def national(self) -> tuple[NationalControl, ...]:
        """What a country controls besides the UN schedules, as far as it is known here."""
        return tuple(
            NationalControl(row["country"], row["substance"], self.sources[row["source"]])
            for row in _csv("controlled.csv")
        )

    @cached_property
    def products(self) -> tuple[Product, ...]:
        """Fixed combinations first, then brands."""
        return self.combinations + self.brands

    @cached_property
    def combinations(self) -> tuple[Product, ...]:
        return tuple(_product(row) for row in _csv("combinations.csv"))

    @cached_property
    def brands(self) -> tuple[Product, ...]:
        return tuple(_product(row) for row in _csv("brands.csv"))

    @cached_property
    def groups(self) -> Mapping[str, Group]:
        return {name: self._group(name, row) for name, row in _toml("groups.toml").items()}

    @cached_property
    def repeatable(self) -> frozenset[str]:
        """Substances that are given in two kinds at once."""
        none: frozenset[str] = frozenset()
        groups = (group for group in self.groups.values() if group.is_repeatable)
        return none.union(*(group.members for group in groups))

    @cached_property
    def crosses(self) -> tuple[Cross, ...]:
        return tuple(
            Cross(
                frozenset((row["left"], row["right"])),
                Severity(row["severity"]),
                self.sources[row["source"]],
            )
            for row in _csv("cross_reactivity.csv")
        )

    @cached_property
    def interactions(self) -> tuple[Interaction, ...]:
        return tuple(
            Interaction(
                self._side(row["left"]),
                self._side(row["right"]),
                Severity(row["severity"]),
                row["effect"],
                self.sources[row["source"]],
            )
            for row in _csv("interactions.csv")
        )

    @cached_property
    def interactions_of(self) -> Mapping[str, frozenset[int]]:
        """By substance, the places in `interactions` of those it takes part in."""
        return _inverted(
            (number, rule.left | rule.right) for number, rule in enumerate(self.interactions)
        )

    @cached_property
    def _groups_by_substance(self) -> Mapping[str, frozenset[str]]:
        return _inverted((group.id, group.members) for group in self.groups.values())

    @cached_property
    def words(self) -> Mapping[str, tuple[str, ...]]:
        """Lists of words: `noise` says nothing of the substance, `salts` only its form, and
        `others` are no medicines."""
        return {name: tuple(row["words"]) for name, row in _toml("words.toml").items()}

    def groups_of(self, substances: Iterable[str]) -> frozenset[str]:
        """The groups that have one of these as a member."""
        none: frozenset[str] = frozenset()
        return none.union(*(self._groups_by_substance.get(name, none) for name in substances))

    def _group(self, name: str, row: dict[str, Any]) -> Group:
        return Group(
            id=name,
            label_en=row["en"],
            label_ar=row["ar"],
            names=tuple(row.get("names", ())),
            members=frozenset(self._members(row)),
            allergy=_severity(row, "allergy"),
            duplicate=_severity(row, "duplicate"),
            is_repeatable=row.get("repeatable", False),
            source=self.sources[row.get("source", "atc")],
        )

    def _members(self, row: Mapping[str, Any]) -> Iterator[str]:
        """Those named, and those under an ATC code, without the exceptions."""
        yield from row.get("substances", ())
        prefixes, excepted = tuple(row.get("atc", ())), frozenset(row.get("but", ()))
        for code, name in self._codes if prefixes else ():
            if code.startswith(prefixes) and name not in excepted:
                yield name

    @cached_property
    def _codes(self) -> tuple[tuple[str, str], ...]:
        return tuple((code, row.name) for row in self.substances.values() for code in row.atc)

    def _side(self, text: str) -> frozenset[str]:
        if text.startswith(CLASS_MARK):
            return self.groups[text.removeprefix(CLASS_MARK)].members
        return frozenset([text])


@cache
def catalogue() -> Catalogue:
    return Catalogue()


def _inverted(rows: Iterable[tuple[T, frozenset[str]]]) -> Mapping[str, frozenset[T]]:
    """By name, all that hold it."""
    found: defaultdict[str, set[T]] = defaultdict(set)
    for holder, names in rows:
        for name in names:
            found[name].add(holder)
    return {name: frozenset(holders) for name, holders in found.items()}


def _meet(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one and other) and len(one | other) > 1


def _severity(row: Mapping[str, Any], name: str) -> Severity | None:
    return Severity(row[name]) if name in row else None


def _substance(row: Mapping[str, str], national: Container[str]) -> Substance:
    return Substance(
        name=row["name"],
        atc=tuple(row["atc"].split()),
        synonyms=_list(row["synonyms"]),
        arabic=_list(row["arabic"]),
        is_controlled=bool(row["controlled"]) or row["name"] in national,
    )


def _product(row: Mapping[str, str]) -> Product:
    return Product(
        names=(row["name"], *_list(row["synonyms"]), *_list(row["arabic"])),
        substances=frozenset(_list(row["substances"])),
    )


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _csv(name: str) -> Iterator[dict[str, str]]:
    """The rows of a file; lines that begin with # are about it."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        lines = (line for line in file if line.strip() and not line.startswith("#"))
        yield from csv.DictReader(lines, strict=True, restval="")


def _toml(name: str) -> dict[str, Any]:
    with (DATA / name).open("rb") as file:
        return tomllib.load(file)
