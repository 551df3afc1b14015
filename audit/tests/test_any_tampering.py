"""Whatever is done to rows that are sealed, `verify_audit` names the patient."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import AccessChain, AccessEvent
from audit.services import seal_log
from audit.tests.log import findings, record, tamper

pytestmark = pytest.mark.django_db
PATIENTS = [UUID(int=number) for number in (1, 2, 3)]
ROWS = 5
ROW = "audit_accessevent"
ONE = "WHERE patient_id = %s AND seq = %s"

Tampering = Callable[[UUID, int, int], None]


class Undone(Exception):
    pass


def delete(patient_id: UUID, first: int, last: int) -> None:
    tamper(f"DELETE FROM {ROW} WHERE patient_id = %s AND seq BETWEEN %s AND %s",
           patient_id, first, last)  # fmt: skip


def cut_off(patient_id: UUID, first: int, last: int) -> None:
    """From a row on, with the head rolled back onto the one before."""
    delete(patient_id, first, ROWS)
    rest = AccessEvent.objects.filter(patient_id=patient_id, seq=first - 1).first()
    if rest is None:
        tamper("DELETE FROM audit_accesschain WHERE patient_id = %s", patient_id)
    else:
        tamper("UPDATE audit_accesschain SET seq = %s, hash = %s WHERE patient_id = %s",
               rest.seq, rest.hash, patient_id)  # fmt: skip


def close_up(patient_id: UUID, first: int, last: int) -> None:
    """Rows are deleted, and those behind them move up."""
    delete(patient_id, first, last)
    for seq in range(last + 1, ROWS + 1):
        tamper(f"UPDATE {ROW} SET seq = %s {ONE}", seq - last + first - 1, patient_id, seq)


def change(column: str, value: str) -> Tampering:
    def run(patient_id: UUID, first: int, last: int) -> None:
        tamper(f"UPDATE {ROW} SET {column} = {value} WHERE patient_id = %s"
               " AND seq BETWEEN %s AND %s", patient_id, first, last)  # fmt: skip

    return run


def move_head(patient_id: UUID, first: int, last: int) -> None:
    tamper("UPDATE audit_accesschain SET seq = %s, hash = md5(hash) WHERE patient_id = %s",
           first, patient_id)  # fmt: skip


TAMPERINGS: dict[str, Tampering] = {
    "delete": delete,
    "cut off": cut_off,
    "close up": close_up,
    "another person": change("actor_id", "gen_random_uuid()"),
    "another moment": change("created_at", "created_at - interval '1 day'"),
    "another act": change("action", "'LISTED'"),
    "another thing": change("object_id", "gen_random_uuid()"),
    "another hash": change("hash", "md5(hash)"),
    "another row before": change("previous_hash", "md5(hash)"),
    "another head": move_head,
}


@pytest.fixture(autouse=True)
def _log(db: None) -> None:
    for _ in range(ROWS):
        for patient_id in PATIENTS:
            record(patient_id)
    seal_log()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    tampering=st.sampled_from(sorted(TAMPERINGS)),
    patient_id=st.sampled_from(PATIENTS),
    rows=st.tuples(st.integers(1, ROWS), st.integers(1, ROWS)).map(sorted),
)
def test_any_tampering_is_found_and_its_patient_named(
    tampering: str, patient_id: UUID, rows: list[int]
) -> None:
    with pytest.raises(Undone), transaction.atomic():
        TAMPERINGS[tampering](patient_id, *rows)

        told = {finding.patient_id for finding in findings()}

        assert told == {str(patient_id)}
        raise Undone

    assert AccessChain.objects.count() == len(PATIENTS)
