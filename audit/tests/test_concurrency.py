"""Many writers at once keep every chain whole, and wait for nobody but those of their patient."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pgtrigger
import pytest
from django.db import connections, transaction

from audit import chain, verification
from audit.models import AccessChain, AccessEvent, AuditSeal, SealedHead
from audit.services import access_event, record_accesses, seal_log
from audit.tests.log import execute, findings, record
from medisync.tests.races import PATIENCE_SECONDS, errors, race
from specializations.models import Specialization

pytestmark = pytest.mark.django_db(transaction=True)
MONA, SARA = UUID(int=1), UUID(int=2)
WRITERS = 6


def numbers(patient_id: UUID) -> list[int]:
    events = AccessEvent.objects.filter(patient_id=patient_id).order_by("seq")
    return list(events.values_list("seq", flat=True))


def meanwhile(act: Callable[[], Any]) -> None:
    """Do it in a transaction of another connection, to its end."""

    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive(), "It waits for the transaction that is open here."


@pytest.fixture
def unlocked_heads() -> Iterator[None]:
    """Events chained by a trigger that reads the head without locking it."""
    (trigger,) = (one for one in AccessEvent._meta.triggers if one.name == "chained")
    body = chain.CHAIN.replace("FOR NO KEY UPDATE", "")
    execute(
        f"CREATE OR REPLACE FUNCTION {trigger.get_pgid(AccessEvent)}() RETURNS trigger"
        f" LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
    )
    yield
    pgtrigger.install("audit.AccessEvent:chained")


def test_writers_of_one_patient_make_one_chain() -> None:
    racers = race(*[lambda: record(MONA)] * WRITERS, gate=AccessChain)
    seal_log()

    assert errors(racers) == [""] * WRITERS
    assert numbers(MONA) == list(range(1, WRITERS + 1))
    assert findings() == []


def test_writers_of_a_chain_that_goes_on_make_one_chain() -> None:
    record(MONA)

    racers = race(*[lambda: record(MONA)] * WRITERS, gate=AccessChain)
    seal_log()

    assert errors(racers) == [""] * WRITERS
    assert numbers(MONA) == list(range(1, WRITERS + 2))
    assert findings() == []


def test_without_the_lock_they_take_the_same_number(unlocked_heads: None) -> None:
    record(MONA)

    racers = race(*[lambda: record(MONA)] * WRITERS, gate=AccessChain)

    assert sorted(errors(racers)) == [""] + ["IntegrityError"] * (WRITERS - 1)


def test_writer_who_fails_leaves_no_gap_to_who_waited() -> None:
    def fail() -> None:
        with transaction.atomic():
            record(MONA)
            raise RuntimeError

    racers = race(fail, lambda: record(MONA), fail, lambda: record(MONA), gate=AccessChain)

    assert errors(racers) == ["RuntimeError", "", "RuntimeError", ""]
    assert numbers(MONA) == [1, 2]


def test_writers_of_different_patients_do_not_wait_for_each_other() -> None:
    with transaction.atomic():
        record(MONA)
        meanwhile(lambda: record(SARA))

    assert (numbers(MONA), numbers(SARA)) == ([1], [1])


def event_of(patient_id: UUID) -> AccessEvent:
    return access_event(
        actor_id=uuid4(),
        patient_id=patient_id,
        action=AccessEvent.Action.DOWNLOADED,
        target=Specialization(id=uuid4()),
        basis=AccessEvent.Basis.AUTHOR,
    )


def test_acts_on_several_patients_are_logged_in_one_order() -> None:
    first, second = [event_of(MONA), event_of(SARA)], [event_of(SARA), event_of(MONA)]

    racers = race(lambda: record_accesses(first), lambda: record_accesses(second), gate=AccessChain)

    assert errors(racers) == ["", ""]
    assert (numbers(MONA), numbers(SARA)) == ([1, 2], [1, 2])


def test_one_by_one_and_crosswise_they_would_block_each_other() -> None:
    """Why there is `record_accesses`."""
    both_have_one = threading.Barrier(2)

    def log(*patients: UUID) -> None:
        with transaction.atomic():
            record(patients[0])
            with suppress(threading.BrokenBarrierError):
                both_have_one.wait(PATIENCE_SECONDS)
            record(patients[1])

    racers = race(lambda: log(MONA, SARA), lambda: log(SARA, MONA), gate=AccessChain)

    assert sorted(errors(racers)) == ["", "OperationalError"]
    assert "deadlock" in "".join(str(racer.error) for racer in racers)


def test_seal_leaves_out_what_is_not_committed_yet() -> None:
    record(SARA)
    with transaction.atomic():
        record(MONA)
        meanwhile(seal_log)
    seal_log()

    covered = SealedHead.objects.order_by("seal_number").values_list("seal_number", "patient_id")
    assert list(covered) == [(1, SARA), (2, MONA)]
    assert findings() == []


def test_seals_made_at_once_follow_each_other() -> None:
    record(MONA)

    racers = race(seal_log, seal_log, gate=SealedHead)

    assert errors(racers) == ["", ""]
    assert sorted(AuditSeal.objects.values_list("number", flat=True)) == [1, 2]
    assert findings() == []


def test_log_is_verified_while_others_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "BATCH", 1)
    monkeypatch.setattr(verification, "PROGRESS_EVERY", 1)
    for patient_id in (MONA, SARA, MONA, SARA):
        record(patient_id)
    seal_log()

    def write(_events: int) -> None:
        meanwhile(lambda: [record(patient_id) for patient_id in (MONA, SARA)])

    assert findings(progress=write) == []
    assert len(numbers(MONA)) == 6
