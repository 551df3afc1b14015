"""Who has to wait before guessing again.

An attempt is counted, and that committed, before it is judged; a right one is given back. So a
thousand guesses at once are worth no more than a thousand in a row. Waiting never adds to the
wait: whoever is kept out is kept out for fifteen minutes at the most.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import AttemptCount
from accounts.services.sessions import is_known_place, known_networks
from common import crypto
from common.client import network_of
from common.throttling import TooManyRequests


@dataclass(frozen=True, slots=True)
class Guard:
    """One thing to guess at, or one place to guess from."""

    name: str
    subject: str
    free_tries: int

    @property
    def key(self) -> str:
        return crypto.blind_index(self.subject, purpose=f"accounts.attempts.{self.name}")


def guard_at(name: str, email: str, address: str, *, free_tries: int) -> Guard:
    """Guesses from places this account never signed in from are counted together; a place it
    did has a count of its own. So strangers lock out strangers, and not the owner at home."""
    if is_known_place(email, address):
        return _home_guard(name, email, network_of(address), free_tries=free_tries)
    return Guard(name, email, free_tries)


def _home_guard(name: str, email: str, network: str, *, free_tries: int) -> Guard:
    return Guard(f"{name}_at_home", f"{email} {network}", free_tries)


@transaction.atomic
def spend(guards: Sequence[Guard]) -> None:
    """Count one attempt at each; raises `TooManyRequests`, the same for all, if one is locked."""
    now = timezone.now()
    by_key = {guard.key: guard for guard in guards}
    counts = _locked(sorted(by_key), now=now)  # everybody locks in one order
    _check_unlocked(counts, now=now)
    for count in counts:
        count.count(at=now, free_tries=by_key[count.key].free_tries)
    AttemptCount.objects.bulk_update(counts, ["failures", "last_at", "locked_until"])


def _locked(keys: Sequence[str], *, now: dt.datetime) -> list[AttemptCount]:
    """The counts of these keys, made if need be, and held until the transaction ends.

    Writing its key over itself locks a row that is there. Reading `FOR UPDATE` would find
    nothing, and so count nothing, where a rival has deleted the row in between.
    """
    AttemptCount.objects.bulk_create(
        [AttemptCount(key=key, last_at=now) for key in keys],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["key"],
    )
    return list(AttemptCount.objects.filter(key__in=keys))


def forget(guard: Guard) -> None:
    """A right answer: what went before was forgetfulness."""
    AttemptCount.objects.filter(key=guard.key).delete()


def forget_everywhere(name: str, email: str) -> None:
    """Unlock an account for strangers and at each of its homes."""
    forget(Guard(name, email, free_tries=0))
    for network in known_networks(email):
        forget(_home_guard(name, email, network, free_tries=0))


def give_back(guard: Guard) -> None:
    """A right answer from a place that others may be guessing from: only this one is undone."""
    AttemptCount.objects.filter(key=guard.key, failures__gt=0).update(
        failures=F("failures") - 1, locked_until=None
    )


def _check_unlocked(counts: list[AttemptCount], *, now: dt.datetime) -> None:
    until = max((count.locked_until for count in counts if count.locked_until), default=now)
    if until > now:
        raise TooManyRequests(int((until - now).total_seconds()) + 1)
