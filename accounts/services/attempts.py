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
from accounts.services.sessions import Device, is_known_device, known_devices
from common import crypto
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


def guard_on(name: str, email: str, device: Device, *, free_tries: int) -> Guard:
    """Guesses on devices that are not known to be the owner's are counted together; each that is
    has a count of its own. So strangers lock out strangers, and not the owner."""
    if is_known_device(email, device):
        return _own_guard(name, email, device.digest, free_tries=free_tries)
    return Guard(name, email, free_tries)


def _own_guard(name: str, email: str, digest: str, *, free_tries: int) -> Guard:
    return Guard(f"{name}_on_own_device", f"{email} {digest}", free_tries)


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
    """Unlock an account for strangers and on each of its own devices."""
    forget(Guard(name, email, free_tries=0))
    for digest in known_devices(email):
        forget(_own_guard(name, email, digest, free_tries=0))


def give_back(guard: Guard) -> None:
    """A right answer from a place that others may be guessing from: only this one is undone."""
    AttemptCount.objects.filter(key=guard.key, failures__gt=0).update(
        failures=F("failures") - 1, locked_until=None
    )


def _check_unlocked(counts: list[AttemptCount], *, now: dt.datetime) -> None:
    until = max((count.locked_until for count in counts if count.locked_until), default=now)
    if until > now:
        raise TooManyRequests(int((until - now).total_seconds()) + 1)
