"""The check itself: a pure function of what is ordered, what is known, and the data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from prescriptions.safety.catalogue import Group, Interaction, Severity, Source, catalogue
from prescriptions.safety.matching import Match, match
from prescriptions.safety.report import Concern, Kind, Report, SafetyWarning, Unchecked
from prescriptions.safety.words import key

KEY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Ordered:
    """A medicine of the order, by its place in it. `is_local` says that it is used on the skin,
    in the eye or the ear, from where little of it enters the body."""

    position: int
    medicine: str
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the patient's record says: an allergy, a medicine they say they take, or one that is
    prescribed. `may_be_named` says whether the reader of the report may know it."""

    name: str
    kind: Kind
    may_be_named: bool = True
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class _Side:
    """One name, and what it means: `members` are the substances it names or, where it names a
    group, may be; `groups` are those it names and those of what it names."""

    name: str
    kind: Kind
    says: Match
    members: frozenset[str]
    groups: frozenset[str]
    is_local: bool
    may_be_named: bool = True
    position: int | None = None


@dataclass(frozen=True, slots=True)
class _Conflict:
    concern: Concern
    severity: Severity
    rule: str
    source: Source


def check(ordered: Sequence[Ordered], known: Iterable[Known]) -> Report:
    """Every conflict of what is ordered with what is known and within itself, each once, and
    every name that could not be compared."""
    orders = [
        replace(_side(each.medicine, Kind.ORDERED, each.is_local), position=each.position)
        for each in ordered
    ]
    record = [
        replace(_side(each.name, each.kind, each.is_local), may_be_named=each.may_be_named)
        for each in known
    ]
    pairs = [(order, each) for order in orders for each in record]
    pairs += [_in_one_order(one, other) for one, other in combinations(orders, 2)]
    warnings = (warning for one, other in pairs for warning in _warnings(one, other))
    unchecked = (each for side in (*orders, *record) for each in _unchecked(side))
    return Report(
        warnings=_once_each(warnings),
        unchecked=tuple(sorted(set(unchecked), key=_unchecked_first)),
    )


def _side(name: str, kind: Kind, is_local: bool) -> _Side:
    says, known = match(name), catalogue()
    named = (known.groups[group].members for group in says.groups)
    return _Side(
        name=name,
        kind=kind,
        says=says,
        members=says.substances.union(*named),
        groups=says.groups | known.groups_of(says.substances),
        is_local=is_local,
    )


def _in_one_order(one: _Side, other: _Side) -> tuple[_Side, _Side]:
    """The later by name against the earlier, wherever the two stand."""
    first, second = sorted((one, other), key=lambda side: (key(side.name), side.position))
    return second, first


def _warnings(order: _Side, against: _Side) -> Iterator[SafetyWarning]:
    for conflict in _conflicts(order, against):
        yield _warning(order, against, conflict)


def _conflicts(order: _Side, against: _Side) -> Iterator[_Conflict]:
    if against.kind is Kind.ALLERGY:
        yield from _gravest(_allergies(order, against))
        return
    is_local = order.is_local or against.is_local
    for conflict in (*_gravest(_duplicates(order, against)), *_interactions(order, against)):
        yield replace(conflict, severity=Severity.CAUTION) if is_local else conflict


def _gravest(conflicts: Iterable[_Conflict]) -> Iterator[_Conflict]:
    """Of several names for one conflict the gravest, and of equals the most exact."""
    found = min(conflicts, key=lambda conflict: conflict.severity.rank, default=None)
    if found:
        yield found


def _allergies(order: _Side, allergy: _Side) -> Iterator[_Conflict]:
    """The substance itself, the group that is named, a sister in its group, a related group."""
    known = catalogue()
    for name in sorted(order.says.substances & allergy.says.substances):
        yield _Conflict(Concern.ALLERGY, Severity.CONTRAINDICATED, name, known.sources["allergy"])
    for group in _grouped(order.groups & allergy.says.groups):
        yield _Conflict(Concern.ALLERGY, Severity.CONTRAINDICATED, group.id, group.source)
    if order.says.groups:
        yield from _may_be_it(order, allergy)
    for group in _grouped(order.groups & allergy.groups):
        if group.allergy:
            yield _Conflict(Concern.CROSS_REACTIVITY, group.allergy, group.id, group.source)
    yield from _crossing(order, allergy)


def _may_be_it(order: _Side, allergy: _Side) -> Iterator[_Conflict]:
    """Ordered is only a group, such as "penicillin", of which they may not have one."""
    for group in _grouped(order.says.groups & allergy.groups):
        yield _Conflict(Concern.ALLERGY, Severity.SERIOUS, group.id, group.source)


def _crossing(order: _Side, allergy: _Side) -> Iterator[_Conflict]:
    for cross in catalogue().crosses:
        for one, other in (sorted(cross.groups), sorted(cross.groups, reverse=True)):
            if one in order.groups and other in allergy.groups:
                rule = "/".join(sorted(cross.groups))
                yield _Conflict(Concern.CROSS_REACTIVITY, cross.severity, rule, cross.source)


def _duplicates(order: _Side, other: _Side) -> Iterator[_Conflict]:
    """The same substance: a matter of course where the patient says they take it, for often it
    is then prescribed again. If none is the same, two of a group of which one is enough; there
    a cream beside a tablet is no matter."""
    same = sorted((order.says.substances & other.says.substances) - catalogue().repeatable)
    severity = Severity.CAUTION if other.kind is Kind.TAKEN else Severity.SERIOUS
    for name in same:
        yield _Conflict(Concern.DUPLICATE, severity, name, catalogue().sources["duplicate"])
    if same or order.is_local != other.is_local:
        return
    for group in _grouped(order.groups & other.groups):
        if group.duplicate:
            yield _Conflict(Concern.DUPLICATE, group.duplicate, group.id, group.source)


def _interactions(order: _Side, other: _Side) -> Iterator[_Conflict]:
    """Of several rules about one effect, the gravest."""
    worst: dict[str, _Conflict] = {}
    for rule in _rules_of(order):
        if rule.joins(order.members, other.members):
            found = _Conflict(Concern.INTERACTION, rule.severity, rule.effect, rule.source)
            worst[rule.effect] = next(_gravest([worst.get(rule.effect, found), found]))
    yield from worst.values()


def _rules_of(order: _Side) -> Iterator[Interaction]:
    known = catalogue().interactions_of
    numbers = {number for name in order.members for number in known.get(name, ())}
    return (catalogue().interactions[number] for number in sorted(numbers))


def _grouped(ids: Iterable[str]) -> Iterator[Group]:
    return (catalogue().groups[name] for name in sorted(ids))


def _warning(order: _Side, against: _Side, conflict: _Conflict) -> SafetyWarning:
    """As much of it as the reader may know."""
    is_named = against.may_be_named
    told = (against.name, conflict.rule, conflict.source) if is_named else ("", "", Source("", ""))
    name, rule, source = told
    return SafetyWarning(
        key=_key(conflict, order.name, against.kind, name, rule),
        kind=conflict.concern,
        severity=conflict.severity,
        position=order.position or 0,
        medicine=order.name,
        against=name,
        against_kind=against.kind,
        rule=rule,
        source=source.title,
        source_date=source.date,
    )


def _key(conflict: _Conflict, medicine: str, kind: Kind, against: str, rule: str) -> str:
    parts = (conflict.concern, conflict.severity, key(medicine), kind, key(against), rule)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:KEY_LENGTH]


def _once_each(warnings: Iterable[SafetyWarning]) -> tuple[SafetyWarning, ...]:
    """Sorted, each finding at the first place where it arises."""
    first: dict[str, SafetyWarning] = {}
    for warning in sorted(warnings, key=_gravest_first):
        first.setdefault(warning.key, warning)
    return tuple(first.values())


def _gravest_first(warning: SafetyWarning) -> tuple[object, ...]:
    return (
        warning.severity.rank,
        warning.position,
        list(Concern).index(warning.kind),
        warning.against,
        warning.key,
    )


def _unchecked(side: _Side) -> Iterator[Unchecked]:
    if _is_checked(side):
        return
    if not side.may_be_named:
        yield Unchecked(side.position, "", side.kind)
        return
    says = side.says
    yield Unchecked(
        position=side.position,
        name=side.name,
        kind=side.kind,
        suggestion=says.suggestion,
        part=" ".join((*says.unmatched, *sorted(says.others))) if side.members else "",
        is_group=bool(says.groups),
    )


def _is_checked(side: _Side) -> bool:
    """An allergy may be to a group, or to no medicine; who takes nothing may say so."""
    says = side.says
    if side.kind is Kind.ALLERGY:
        return says.is_understood
    is_nothing = side.kind is Kind.TAKEN and says.is_understood and not side.members
    return says.is_medicine or is_nothing


def _unchecked_first(unchecked: Unchecked) -> tuple[object, ...]:
    is_known = unchecked.position is None
    return (is_known, unchecked.position or 0, list(Kind).index(unchecked.kind), unchecked.name)
