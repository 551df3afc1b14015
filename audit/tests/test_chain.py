"""The database chains the events of each patient, whoever writes them."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID, uuid4

import pgtrigger
import pytest
from django.db import DatabaseError, transaction
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from audit import chain
from audit.models import AccessChain, AccessEvent
from audit.services import access_event, record_accesses
from audit.tests.log import execute, record, record_many
from specializations.models import Specialization

pytestmark = pytest.mark.django_db
MONA, SARA = UUID(int=1), UUID(int=2)


def unsaved(patient_id: UUID, **changes: Any) -> AccessEvent:
    values = {"action": "READ", "basis": "CARE", "object_type": "a.thing", "object_id": uuid4()}
    return AccessEvent(patient_id=patient_id, **(values | changes))


def test_events_of_each_patient_are_numbered_without_a_gap() -> None:
    events = [record(patient_id) for patient_id in (MONA, SARA, MONA, MONA, SARA)]

    assert [event.seq for event in events] == [1, 1, 2, 3, 2]


def test_each_event_follows_on_the_one_before() -> None:
    first, second, third = record_many(MONA, 3)

    assert (first.previous_hash, second.previous_hash) == ("", first.hash)
    assert third.previous_hash == second.hash
    assert len({first.hash, second.hash, third.hash}) == 3


def test_head_of_the_chain_is_its_last_event() -> None:
    last = record_many(MONA, 3)[-1]
    record(SARA)

    head = AccessChain.objects.get(patient_id=MONA)

    assert (head.seq, head.hash) == (last.seq, last.hash)


def test_every_column_is_hashed_but_the_hash() -> None:
    columns = {field.column for field in AccessEvent._meta.concrete_fields}

    assert set(chain.COLUMNS) == columns - {"hash"}


def test_hash_can_be_computed_by_hand() -> None:
    """As ADR 15 describes it: the values behind their lengths, and SHA-256."""
    ids = {"patient_id": UUID(int=1), "id": UUID(int=2), "object_id": UUID(int=4)}
    given = unsaved(**ids, actor_id=UUID(int=3), category="MEDICATIONS")
    given.save(force_insert=True)

    text = (
        "36:00000000-0000-0000-0000-000000000002"
        f"17:{given.created_at.timestamp():.6f}"
        "36:00000000-0000-0000-0000-000000000001"
        "1:1"
        "36:00000000-0000-0000-0000-000000000003"
        "4:READ4:CARE11:MEDICATIONS7:a.thing"
        "36:00000000-0000-0000-0000-000000000004"
        "0:"
    )
    assert given.hash == hashlib.sha256(text.encode()).hexdigest()


def test_lengths_keep_values_apart() -> None:
    assert len({chain.netstrings(values) for values in (("ab", ""), ("a", "b"), ("ab", None))}) == 3
    assert chain.netstrings(("دواء", None)) == "8:دواء-".encode()


def test_number_and_hashes_are_the_databases_whatever_is_given() -> None:
    AccessEvent.objects.create(
        patient_id=MONA, action="READ", basis="CARE", object_type="a.thing", object_id=uuid4(),
        seq=7, previous_hash="f" * 64, hash="0" * 64,
    )  # fmt: skip

    event = AccessEvent.objects.get()

    assert (event.seq, event.previous_hash) == (1, "")
    assert event.hash != "0" * 64


def test_many_written_at_once_are_numbered_in_their_order() -> None:
    events = [unsaved(patient_id) for patient_id in (MONA, SARA, MONA, SARA, MONA)]

    AccessEvent.objects.bulk_create(events)

    assert [event.seq for event in events] == [1, 1, 2, 2, 3]
    assert events[2].previous_hash == events[0].hash


def test_accesses_are_logged_in_the_order_of_patients() -> None:
    """So that two who log the same patients lock their chains in the same order."""
    things = [Specialization(id=uuid4()) for _ in range(4)]
    patients = (SARA, MONA, SARA, MONA)

    with CaptureQueriesContext(database) as queries:
        record_accesses(
            access_event(
                actor_id=uuid4(),
                patient_id=patient_id,
                action=AccessEvent.Action.DOWNLOADED,
                target=thing,
                basis=AccessEvent.Basis.AUTHOR,
            )
            for patient_id, thing in zip(patients, things, strict=True)
        )

    logged = AccessEvent.objects.order_by("patient_id", "seq").values_list("object_id", flat=True)
    assert len(queries) == 1
    assert list(logged) == [things[place].pk for place in (1, 3, 0, 2)]


def test_act_that_failed_leaves_no_gap() -> None:
    record(MONA)
    with pytest.raises(RuntimeError), transaction.atomic():
        record(MONA)
        raise RuntimeError

    assert record(MONA).seq == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_accesschain SET seq = 1",
        "DELETE FROM audit_accesschain",
        "INSERT INTO audit_accesschain VALUES (gen_random_uuid(), 1, '')",
    ],
    ids=["UPDATE", "DELETE", "INSERT"],
)
def test_only_an_event_moves_the_head_of_a_chain(statement: str) -> None:
    record_many(MONA, 2)

    with pytest.raises(DatabaseError), transaction.atomic():
        execute(statement)

    assert AccessChain.objects.get().seq == 2


def test_event_that_is_not_chained_is_not_stored() -> None:
    with (
        pytest.raises(DatabaseError, match="access_is_chained"),
        pgtrigger.ignore("audit.AccessEvent:chained"),
        transaction.atomic(),
    ):
        record(MONA)


@pytest.mark.parametrize(
    "who",
    [{"actor_id": MONA, "basis": "CARE"}, {"actor_id": SARA, "basis": "SELF"}, {"basis": "SELF"}],
    ids=["the patient, for another reason", "another, as the patient", "nobody, as the patient"],
)
def test_basis_is_self_where_the_patient_acts_and_only_there(who: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError, match="access_of_own_data_is_self"), transaction.atomic():
        unsaved(MONA, **who).save()
