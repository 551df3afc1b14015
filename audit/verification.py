"""Whether the access log is whole: every hash computed again, in Python, from what is stored.

The log is read once, patient by patient, and nothing of it is kept: a large one takes longer,
not more memory.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db import connection, transaction

from audit import chain
from common import crypto

# The clock seals every hour; a day without a seal is no hiccup.
LONGEST_WITHOUT_SEAL = dt.timedelta(days=1)
SIGNATURE_PURPOSE = "audit.seal"
CREATED_AT = chain.COLUMNS.index("created_at")
BATCH = 2000
PROGRESS_EVERY = 100_000
EVENT, SEALED, HEAD = range(3)

# Events, where seals saw each chain end, and where it ends now. One statement is one snapshot:
# every event that is committed in it comes with its head.
CHAINS = """
    SELECT kind, patient_id::text, seq, hash, event_id::text, seal_number, texts FROM (
        SELECT {EVENT} AS kind, patient_id, seq, hash, id AS event_id,
            NULL::bigint AS seal_number, ARRAY[{texts}] AS texts
        FROM audit_accessevent AS event WHERE {whose}
        UNION ALL
        SELECT {SEALED}, patient_id, seq, hash, NULL, seal_number, NULL
        FROM audit_sealedhead WHERE {whose}
        UNION ALL
        SELECT {HEAD}, patient_id, seq, hash, NULL, NULL, NULL
        FROM audit_accesschain WHERE {whose}
    ) AS entry ORDER BY patient_id, seq, kind, event_id
"""
SEALS = """
    SELECT coalesce(number, seal_number) AS number, {made_at}, previous_digest, digest, signature,
        patient_id::text, seq, hash
    FROM audit_auditseal AS seal FULL JOIN audit_sealedhead ON seal_number = number
    ORDER BY 1, patient_id
"""


class Entry(NamedTuple):
    """An event, a head that a seal covers, or the head of a chain."""

    kind: int
    patient_id: str
    seq: int
    hash: str
    event_id: str | None = None
    seal_number: int | None = None
    texts: list[str | None] | None = None


class SealEntry(NamedTuple):
    """A seal with one of the heads it covers. Without heads, or lost, its other half is null."""

    number: int
    made_at: str | None
    previous_digest: str | None
    digest: str | None
    signature: str | None
    patient_id: str | None
    seq: int | None
    hash: str | None


class Seal(NamedTuple):
    """A seal by which somebody elsewhere remembers the log."""

    number: int
    digest: str


# What the first seal follows on.
NO_SEAL = SealEntry(0, None, None, "", None, None, None, None)


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was written, and where."""

    wrong: str
    patient_id: str = ""
    seq: int | None = None
    event_id: str | None = None
    seal_number: int | None = None

    def __str__(self) -> str:
        places = {
            "patient": self.patient_id,
            "row": self.seq,
            "id": self.event_id,
            "seal": self.seal_number,
        }
        told = " ".join(f"{name} {place}" for name, place in places.items() if place)
        return f"{told}: {self.wrong}" if told else self.wrong


Read = TypeVar("Read", Entry, SealEntry)


class Verification:
    """One reading of the log: of one patient's chain, or of all and the seals."""

    def __init__(
        self,
        *,
        patient_id: UUID | None = None,
        known: Seal | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.patient_id, self.known, self.progress = patient_id, known, progress
        self.events = self.chains = self.seals = 0
        self.first_at = math.inf
        self.last_seal = NO_SEAL
        self.is_known_met = known is None

    def findings(self) -> Iterator[Finding]:
        """Read the log, and tell what is wrong as it is met."""
        with transaction.atomic():
            yield from self._check_chains()
            if self.patient_id is None:
                yield from self._check_seals()

    def _check_chains(self) -> Iterator[Finding]:
        sql = CHAINS.format(
            EVENT=EVENT,
            SEALED=SEALED,
            HEAD=HEAD,
            texts=", ".join(chain.as_text("event", column) for column in chain.COLUMNS),
            whose="patient_id = %(patient_id)s" if self.patient_id else "true",
        )
        entries = _read(Entry, sql, {"patient_id": self.patient_id})
        for patient_id, of_patient in groupby(entries, attrgetter("patient_id")):
            self.chains += 1
            yield from self._check_chain(patient_id, of_patient)

    def _check_chain(self, patient_id: str, entries: Iterator[Entry]) -> Iterator[Finding]:
        last, head = Entry(EVENT, patient_id, 0, ""), None
        for entry in entries:
            if entry.kind == HEAD:
                head = entry
            elif entry.kind == SEALED:
                yield from _check_sealed(entry, last)
            else:
                self._count_event(entry)
                yield from _check_event(entry, last)
                last = entry
        yield from _check_head(head, last)

    def _count_event(self, event: Entry) -> None:
        self.events += 1
        self.first_at = min(self.first_at, float((event.texts or ())[CREATED_AT] or 0))
        if self.progress and self.events % PROGRESS_EVERY == 0:
            self.progress(self.events)

    def _check_seals(self) -> Iterator[Finding]:
        sql = SEALS.format(made_at=chain.as_text("seal", "made_at"))
        entries = _read(SealEntry, sql, {})
        for _number, of_seal in groupby(entries, attrgetter("number")):
            self.seals += 1
            yield from self._check_seal(of_seal)
        if self.known and not self.is_known_met:
            yield Finding("is not the one that is known", seal_number=self.known.number)
        yield from self._check_is_sealed()

    def _check_seal(self, entries: Iterator[SealEntry]) -> Iterator[Finding]:
        seal = next(entries)
        yield from _check_follows(seal, self.last_seal)
        yield from _check_digest(seal, entries)
        self.is_known_met = self.is_known_met or self.known == (seal.number, seal.digest)
        self.last_seal = seal

    def _check_is_sealed(self) -> Iterator[Finding]:
        """Who cuts the newest seals off leaves a log that has not been sealed for long. One that
        never was has the time of its first row: a new installation is sealed within the hour."""
        last = float(self.last_seal.made_at or self.first_at)
        if self.events and time.time() - last > LONGEST_WITHOUT_SEAL.total_seconds():
            yield Finding("The log has not been sealed for a day.")


def _check_event(event: Entry, last: Entry) -> Iterator[Finding]:
    def found(wrong: str) -> Finding:
        return Finding(wrong, event.patient_id, event.seq, event.event_id)

    if chain.event_hash(event.texts or ()) != event.hash:
        yield found("was altered")
    if event.seq > last.seq + 1:
        yield _missing_rows(event.patient_id, last.seq + 1, event.seq - 1)
    elif event.seq <= last.seq:
        yield found("has a number that is taken or is none")
    elif event.texts and event.texts[-1] != last.hash:
        yield found("does not follow on the row before it: one of the two was altered or replaced")


def _check_sealed(sealed: Entry, last: Entry) -> Iterator[Finding]:
    if (sealed.seq, sealed.hash) == (last.seq, last.hash):
        return
    is_there = sealed.seq == last.seq
    yield Finding(
        "is not the row that was sealed" if is_there else "is missing, though it was sealed",
        sealed.patient_id,
        sealed.seq,
        last.event_id if is_there else None,
        sealed.seal_number,
    )


def _check_head(head: Entry | None, last: Entry) -> Iterator[Finding]:
    if head is None:
        yield Finding("the head of the chain is missing", last.patient_id)
    elif head.seq > last.seq:
        yield _missing_rows(last.patient_id, last.seq + 1, head.seq)
    elif (head.seq, head.hash) != (last.seq, last.hash):
        yield Finding(
            f"the head of the chain is at row {head.seq}, or has another hash than this row",
            last.patient_id,
            last.seq,
            last.event_id,
        )


def _check_follows(seal: SealEntry, last: SealEntry) -> Iterator[Finding]:
    first_missing, last_missing = last.number + 1, seal.number - 1
    if first_missing == last_missing:
        yield Finding("is missing", seal_number=first_missing)
    elif first_missing < last_missing:
        yield Finding(f"seals {first_missing} to {last_missing} are missing")
    elif None not in (seal.digest, last.digest) and seal.previous_digest != last.digest:
        yield Finding("does not follow on the seal before it", seal_number=seal.number)


def _check_digest(seal: SealEntry, more: Iterator[SealEntry]) -> Iterator[Finding]:
    """The seal, of which `more` holds the other heads."""
    if seal.digest is None:
        yield Finding("is missing, though heads it covers are there", seal_number=seal.number)
        return
    digest = chain.seal_digest(
        number=seal.number,
        made_at=seal.made_at or "",
        previous=seal.previous_digest or "",
        heads=(
            (entry.patient_id, entry.seq or 0, entry.hash or "")
            for entry in itertools.chain([seal], more)
            if entry.patient_id is not None
        ),
    )
    if digest != seal.digest:
        yield Finding("it or a head it covers was altered", seal_number=seal.number)
    if _signed(seal) != seal.digest:
        yield Finding("was not signed with a key of this installation", seal_number=seal.number)


def _signed(seal: SealEntry) -> str:
    """The digest that was signed; empty where no key opens the signature."""
    try:
        return crypto.unseal(seal.signature or "", purpose=SIGNATURE_PURPOSE)
    except crypto.CannotDecrypt:
        return ""


def _missing_rows(patient_id: str, first: int, last: int) -> Finding:
    if first == last:
        return Finding("is missing", patient_id, first)
    return Finding(f"rows {first} to {last} are missing", patient_id)


def _read(shape: type[Read], sql: str, values: dict[str, Any]) -> Iterator[Read]:
    """The rows of a question, a few thousand at a time."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, values)
        while rows := cursor.fetchmany(BATCH):
            yield from itertools.starmap(shape, rows)
