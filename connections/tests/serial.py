"""The circle of care as a story with one act after another: what each verb does, without a
database. Whatever acts at once have done must be what some order of this story would have done.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# The id of what was made since the story began.
NEW = "new"
# What is chosen to be shared. "month" has an end; "renewed" is a month moved on, "over" one past.
CHOICES = ("nothing", "facts", "more", "month")


class Refused(Exception):
    """A verb that cannot be done, by the name of its error."""


@dataclass(frozen=True)
class Act:
    """One verb, on one pair, by one side. It names what stood when it was chosen."""

    verb: str
    patient: int
    doctor: int
    by: str = ""
    sharing: str = ""
    connection: Any = None
    request: Any = None
    grant: Any = None

    @property
    def pair(self) -> tuple[int, int]:
        return self.patient, self.doctor

    def person(self, side: str) -> str:
        return f"{side} {self.patient if side == 'patient' else self.doctor}"

    def __str__(self) -> str:
        words = (self.by, self.verb, self.sharing, f"{self.patient}–{self.doctor}")
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class Asked:
    id: Any
    sharing: str
    is_overdue: bool = False


@dataclass(frozen=True)
class Given:
    id: Any
    sharing: str


@dataclass
class Pair:
    """How two people stand. Without a status there is no row of theirs."""

    status: str = ""
    origin: str = ""
    blocked_by: set[str] = field(default_factory=set)
    asked: Asked | None = None
    has_asked: bool = False
    given: Given | None = None
    issued: int = 0

    def is_known_to(self, side: str) -> bool:
        return bool(self.origin) or side in self.blocked_by

    def has_met(self, side: str) -> bool:
        return self.is_known_to(side) or self.has_asked


@dataclass
class World:
    """Everybody, and what has happened: the log of each patient, in order, and who was told."""

    pairs: dict[tuple[int, int], Pair]
    closed: set[str] = field(default_factory=set)
    log: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)

    def copy(self) -> World:
        pairs = {
            people: dataclasses.replace(pair, blocked_by={*pair.blocked_by})
            for people, pair in self.pairs.items()
        }
        log = {patient: [*events] for patient, events in self.log.items()}
        return World(pairs, {*self.closed}, log, Counter(self.told))

    def at_rest(self) -> World:
        """The same, with nothing written or told yet."""
        return World(self.pairs, self.closed)

    def after(self, act: Act) -> tuple[World, str]:
        """The world after an act, and its refusal, which changes nothing."""
        changed = self.copy()
        try:
            VERBS[act.verb](changed, act, changed.pairs[act.pair])
        except Refused as refusal:
            return self, str(refusal)
        return changed, ""

    def write(self, act: Act, action: str, by: str) -> None:
        who = act.person(by) if by else ""
        self.log.setdefault(act.patient, []).append((action, who))

    def tell(self, act: Act, kind: str, *sides: str) -> None:
        self.told.update((kind, act.person(side)) for side in sides)

    def check_is_active(self, act: Act, side: str) -> None:
        _refuse(act.person(side) in self.closed, "AccountNotActive")

    def check_is_open(self, act: Act, pair: Pair) -> None:
        _refuse(act.person("doctor") in self.closed, "DoctorNotAvailable")
        _refuse(act.person("patient") in self.closed, "PatientNotAvailable")
        _refuse("patient" in pair.blocked_by, "YouBlocked")
        _refuse(pair.status == "BLOCKED", "DoctorNotAvailable")
        _refuse(pair.status == "ACTIVE", "AlreadyConnected")

    def expire(self, act: Act, pair: Pair) -> None:
        if pair.asked is not None and pair.asked.is_overdue:
            self.close(act, pair, "EXPIRED", by="", tells="patient")

    def close(self, act: Act, pair: Pair, status: str, *, by: str, tells: str) -> None:
        pair.asked = None
        self.write(act, f"REQUEST_{status}", by)
        if tells:
            self.tell(act, f"REQUEST_{status}", tells)

    def join(self, act: Act, pair: Pair, *, origin: str, sharing: str, by: str) -> None:
        pair.status, pair.origin = "ACTIVE", origin
        self.write(act, "CONNECTED", by)
        if sharing in {"facts", "more", "month"}:
            pair.given = Given(NEW, sharing)
            self.write(act, "GRANTED", "patient")

    def part(self, act: Act, pair: Pair, status: str) -> None:
        pair.given, pair.status = None, status
        self.write(act, "CONNECTION_ENDED", act.by)
        self.tell(act, "CONNECTION_ENDED", "patient", "doctor")

    def known(self, act: Act, pair: Pair) -> Pair:
        _refuse(act.connection is None or not pair.is_known_to(act.by), "Http404")
        return pair

    def own_grant(self, act: Act, pair: Pair) -> Given:
        _refuse(act.grant is None, "Http404")
        self.check_is_active(act, "patient")
        _refuse(pair.status != "ACTIVE", "ConnectionEnded")
        if pair.given is None or pair.given.id != act.grant:
            raise Refused("NothingShared")
        return pair.given


def send(world: World, act: Act, pair: Pair) -> None:
    world.check_is_active(act, "patient")
    world.check_is_open(act, pair)
    _refuse(pair.asked is not None and not pair.asked.is_overdue, "AlreadyRequested")
    world.expire(act, pair)
    pair.asked, pair.has_asked = Asked(NEW, act.sharing), True
    world.write(act, "REQUESTED", "patient")
    world.tell(act, "CONNECTION_REQUESTED", "doctor")


def cancel(world: World, act: Act, pair: Pair) -> None:
    _waiting(world, act, pair, side="patient")
    world.close(act, pair, "CANCELLED", by="patient", tells="doctor")


def accept(world: World, act: Act, pair: Pair) -> None:
    asked = _waiting(world, act, pair, side="doctor")
    world.check_is_open(act, pair)
    world.close(act, pair, "ACCEPTED", by="doctor", tells="patient")
    world.join(act, pair, origin="REQUEST", sharing=asked.sharing, by="doctor")


def reject(world: World, act: Act, pair: Pair) -> None:
    _waiting(world, act, pair, side="doctor")
    world.close(act, pair, "REJECTED", by="doctor", tells="patient")


def expire(world: World, act: Act, _pair: Pair) -> None:
    """The clock's, for all pairs."""
    for (patient, doctor), pair in world.pairs.items():
        world.expire(Act(act.verb, patient, doctor), pair)


def connect(world: World, act: Act, pair: Pair) -> None:
    world.check_is_active(act, "patient")
    world.check_is_open(act, pair)
    world.expire(act, pair)
    if pair.asked is not None:
        world.close(act, pair, "ACCEPTED", by="patient", tells="")
    world.join(act, pair, origin="QR", sharing=act.sharing, by="patient")
    world.tell(act, "CONNECTION_MADE", "patient", "doctor")


def end(world: World, act: Act, pair: Pair) -> None:
    world.known(act, pair)
    world.check_is_active(act, act.by)
    _refuse(pair.status != "ACTIVE", "ConnectionEnded")
    world.part(act, pair, "INACTIVE")


def block(world: World, act: Act, pair: Pair) -> None:
    world.check_is_active(act, act.by)
    is_listed = act.by == "patient" and act.person("doctor") not in world.closed
    _refuse(not (pair.has_met(act.by) or is_listed), "Http404")
    world.expire(act, pair)
    if pair.asked is not None:
        is_doctor = act.by == "doctor"
        status, other = ("REJECTED", "patient") if is_doctor else ("CANCELLED", "doctor")
        world.close(act, pair, status, by=act.by, tells=other)
    if act.by in pair.blocked_by:
        return
    if pair.status == "ACTIVE":
        world.part(act, pair, "BLOCKED")
    pair.status = "BLOCKED"
    pair.blocked_by.add(act.by)
    world.write(act, "BLOCKED", act.by)


def unblock(world: World, act: Act, pair: Pair) -> None:
    world.known(act, pair)
    world.check_is_active(act, act.by)
    _refuse(act.by not in pair.blocked_by, "NotBlocked")
    pair.blocked_by.remove(act.by)
    pair.status = "BLOCKED" if pair.blocked_by else "INACTIVE"
    world.write(act, "UNBLOCKED", act.by)


def grant(world: World, act: Act, pair: Pair) -> None:
    world.known(act, pair)
    world.check_is_active(act, "patient")
    _refuse(pair.status != "ACTIVE", "ConnectionEnded")
    if act.sharing == "nothing":
        _revoke(world, act, pair)
    elif pair.given is not None and pair.given.sharing == act.sharing:
        pair.given = Given(NEW, act.sharing)
        world.write(act, "GRANT_RENEWED", "patient")
    else:
        pair.given = Given(NEW, act.sharing)
        world.write(act, "GRANTED", "patient")
        world.tell(act, "GRANT_CHANGED", "doctor")


def replace(world: World, act: Act, pair: Pair) -> None:
    world.own_grant(act, pair)
    grant(world, act, pair)


def renew(world: World, act: Act, pair: Pair) -> None:
    given = world.own_grant(act, pair)
    _refuse(given.sharing == "over", "NothingShared")
    is_moved = given.sharing in {"month", "renewed"}
    pair.given = Given(NEW, "renewed" if is_moved else given.sharing)
    world.write(act, "GRANT_RENEWED", "patient")


def revoke(world: World, act: Act, pair: Pair) -> None:
    world.own_grant(act, pair)
    _revoke(world, act, pair)


def issue(world: World, act: Act, pair: Pair) -> None:
    world.known(act, pair)
    world.check_is_active(act, "doctor")
    _refuse(pair.status != "ACTIVE" or act.person("patient") in world.closed, "ConnectionEnded")
    pair.issued += 1
    world.write(act, "CHECKED", "doctor")
    world.write(act, "ISSUED", "doctor")
    world.tell(act, "PRESCRIPTION_ISSUED", "patient")


def suspend(world: World, act: Act, _pair: Pair) -> None:
    _refuse(act.person(act.by) in world.closed, "AccountIsClosed")
    world.closed.add(act.person(act.by))
    world.tell(act, "ACCOUNT_CLOSED", act.by)


def reopen(world: World, act: Act, _pair: Pair) -> None:
    _refuse(act.person(act.by) not in world.closed, "AccountIsOpen")
    world.closed.remove(act.person(act.by))
    world.tell(act, "ACCOUNT_REOPENED", act.by)


Verb = Callable[[World, Act, Pair], None]
# `by` is who acts or, where an administrator does, whom it is about.
VERBS: dict[str, Verb] = {
    verb.__name__: verb
    for verb in (
        send, cancel, accept, reject, expire, connect, end, block, unblock, grant, replace,
        renew, revoke, issue, suspend, reopen,
    )
}  # fmt: skip
SIDES: dict[str, tuple[str, ...]] = {
    "end": ("patient", "doctor"),
    "block": ("patient", "doctor"),
    "unblock": ("patient", "doctor"),
    "suspend": ("patient", "doctor"),
    "reopen": ("patient", "doctor"),
    "accept": ("doctor",),
    "reject": ("doctor",),
    "issue": ("doctor",),
}
SHARING_VERBS = {"send", "connect", "grant", "replace"}


def acts_on(pair: tuple[int, int], **named: Any) -> list[Act]:
    """Every verb there is, by every side and with every choice, on one pair."""
    return [
        Act(verb, *pair, by=side, sharing=sharing, **named)
        for verb in VERBS
        for side in SIDES.get(verb, ("patient",))
        for sharing in (CHOICES if verb in SHARING_VERBS else ("",))
    ]


def _waiting(world: World, act: Act, pair: Pair, *, side: str) -> Asked:
    _refuse(act.request is None, "Http404")
    world.check_is_active(act, side)
    asked = pair.asked
    if asked is None or asked.id != act.request or asked.is_overdue:
        raise Refused("RequestClosed")
    return asked


def _revoke(world: World, act: Act, pair: Pair) -> None:
    given, pair.given = pair.given, None
    if given is not None:
        world.write(act, "GRANT_REVOKED", "patient")
        if given.sharing != "over":
            world.tell(act, "GRANT_REVOKED", "doctor")


def _refuse(condition: object, error: str) -> None:
    if condition:
        raise Refused(error)
