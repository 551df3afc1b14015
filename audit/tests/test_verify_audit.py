"""Whoever tampers with the log is found, whatever rights over the database they have."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit import chain, verification
from audit.models import AccessEvent, AuditSeal, SealedHead
from audit.services import seal_log
from audit.tests.log import findings, record, record_many, tamper
from audit.verification import Finding, Seal

pytestmark = pytest.mark.django_db
MONA, SARA, OMAR = (UUID(int=number) for number in (1, 2, 3))
ALTERED = "was altered"
UNFOLLOWED = "does not follow on the row before it: one of the two was altered or replaced"
UNSEALED = "is missing, though it was sealed"
TAKEN = "has a number that is taken or is none"
BEHIND = "the head of the chain is at row {}, or has another hash than this row"
ROW = "UPDATE audit_accessevent SET {} WHERE patient_id = %s AND seq = %s"


@pytest.fixture(autouse=True)
def _log(db: None) -> None:
    """Three chains, sealed in the middle of the first and at the end of the others:
    Mona's has rows 1 to 6 and is sealed at 3, Sara's 1 to 4 and at 4, Omar's 1 and at 1."""
    record_many(MONA, 3)
    record_many(SARA, 4)
    record(OMAR)
    seal_log()
    record_many(MONA, 3)


def event(patient_id: UUID, seq: int) -> AccessEvent:
    return AccessEvent.objects.get(patient_id=patient_id, seq=seq)


def found(wrong: str, patient_id: UUID, seq: int | None = None, **more: Any) -> Finding:
    """What is said of a row, which is named by all its names."""
    row = AccessEvent.objects.filter(patient_id=patient_id, seq=seq).values_list("pk").first()
    return Finding(wrong, str(patient_id), seq, str(row[0]) if row else None, **more)


def verify(*arguments: str) -> str:
    output = io.StringIO()
    call_command("verify_audit", *arguments, stdout=output, stderr=io.StringIO())
    return output.getvalue()


def hash_again(patient_id: UUID, since: int, *, until: int | None = None) -> None:
    """As an attacker would who has read our source: new hashes from one row to the head."""
    rows = AccessEvent.objects.filter(patient_id=patient_id)
    last = until or rows.latest("seq").seq
    texts = ", ".join(chain.as_text("event", column) for column in chain.COLUMNS)
    previous = "" if since == 1 else rows.get(seq=since - 1).hash
    for seq in range(since, last + 1):
        with database.cursor() as cursor:
            cursor.execute(
                f"SELECT {texts} FROM audit_accessevent AS event"
                " WHERE patient_id = %s AND seq = %s",
                [patient_id, seq],
            )
            new = chain.event_hash([*cursor.fetchone()[:-1], previous])
        tamper(ROW.format("previous_hash = %s, hash = %s"), previous, new, patient_id, seq)
        previous = new
    if until is None:
        head = "UPDATE audit_accesschain SET seq = %s, hash = %s WHERE patient_id = %s"
        tamper(head, last, previous, patient_id)


def seal_again() -> None:
    """The same, for the digest of the seal."""
    heads = SealedHead.objects.order_by("patient_id").values_list("patient_id", "seq", "hash")
    with database.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM made_at)::text FROM audit_auditseal")
        (made_at,) = cursor.fetchone()
    digest = chain.seal_digest(
        number=1, made_at=made_at, previous="", heads=[(str(who), *head) for who, *head in heads]
    )
    tamper("UPDATE audit_auditseal SET digest = %s", digest)


def test_log_nobody_touched_is_whole() -> None:
    assert findings() == []


@pytest.mark.parametrize(
    "change",
    [
        "id = gen_random_uuid()",
        "created_at = created_at - interval '1 microsecond'",
        "created_at = 'infinity'",
        "created_at = created_at - interval '4052 years'",
        "actor_id = gen_random_uuid()",
        "actor_id = NULL",
        "action = 'LISTED'",
        "basis = 'ADMINISTRATION'",
        "category = 'MEDICATIONS'",
        "object_type = 'accounts.user'",
        "object_id = gen_random_uuid()",
    ],
)
def test_altered_column_is_found(change: str) -> None:
    tamper(ROW.format(change), MONA, 5)

    assert findings() == [found(ALTERED, MONA, 5)]


@pytest.mark.parametrize(("column", "unfollowed"), [("hash", 6), ("previous_hash", 5)])
def test_altered_hash_is_found(column: str, unfollowed: int) -> None:
    tamper(ROW.format(f"{column} = repeat('0', 64)"), MONA, 5)

    assert findings() == [found(ALTERED, MONA, 5), found(UNFOLLOWED, MONA, unfollowed)]


def test_row_with_a_new_hash_is_found() -> None:
    """The row after it still has the old one."""
    tamper(ROW.format("action = 'LISTED'"), MONA, 5)
    hash_again(MONA, 5, until=5)

    assert findings() == [found(UNFOLLOWED, MONA, 6)]


def test_another_number_is_found() -> None:
    tamper(ROW.format("seq = 9"), MONA, 6)

    assert findings() == [
        found(ALTERED, MONA, 9),
        found("rows 6 to 8 are missing", MONA),
        found(BEHIND.format(6), MONA, 9),
    ]


def test_row_given_to_another_patient_is_found() -> None:
    tamper(ROW.format("patient_id = %s, seq = 2"), OMAR, MONA, 5)

    assert findings() == [
        found("is missing", MONA, 5),
        found(ALTERED, OMAR, 2),
        found(UNFOLLOWED, OMAR, 2),
        found(BEHIND.format(1), OMAR, 2),
    ]


def test_rows_that_changed_places_are_found() -> None:
    for old, new in ((5, 0), (6, 5), (0, 6)):
        tamper("ALTER TABLE audit_accessevent DROP CONSTRAINT IF EXISTS access_is_chained")
        tamper(ROW.format("seq = %s"), new, MONA, old)

    wrong = [found(problem, MONA, seq) for seq in (5, 6) for problem in (ALTERED, UNFOLLOWED)]
    assert findings() == [*wrong, found(BEHIND.format(6), MONA, 6)]


def test_same_number_twice_is_found() -> None:
    tamper("ALTER TABLE audit_accessevent DROP CONSTRAINT access_in_a_chain")
    tamper(ROW.format("seq = 5"), MONA, 6)

    told = [(finding.wrong, finding.seq) for finding in findings()]

    assert told == [(ALTERED, 5), (TAKEN, 5), ("is missing", 6)]


@pytest.mark.parametrize(
    ("which", "wrong", "named"),
    [
        ("= 5", "is missing", 5),
        ("IN (1, 2)", "rows 1 to 2 are missing", None),
        ("= 6", "is missing", 6),
        ("> 3", "rows 4 to 6 are missing", None),
    ],
)
def test_deleted_row_is_found(which: str, wrong: str, named: int | None) -> None:
    tamper(f"DELETE FROM audit_accessevent WHERE patient_id = %s AND seq {which}", MONA)

    assert findings() == [found(wrong, MONA, named)]


def test_deleted_chain_is_found() -> None:
    tamper("DELETE FROM audit_accessevent WHERE patient_id = %s", MONA)

    assert findings() == [
        found(UNSEALED, MONA, 3, seal_number=1),
        found("rows 1 to 6 are missing", MONA),
    ]


def test_chain_deleted_with_its_head_is_found() -> None:
    tamper("DELETE FROM audit_accessevent WHERE patient_id = %s", OMAR)
    tamper("DELETE FROM audit_accesschain WHERE patient_id = %s", OMAR)

    assert findings() == [
        found(UNSEALED, OMAR, 1, seal_number=1),
        found("the head of the chain is missing", OMAR),
    ]


def test_added_row_is_found() -> None:
    tamper(
        "INSERT INTO audit_accessevent SELECT gen_random_uuid(), created_at, patient_id, actor_id,"
        " action, basis, category, object_type, object_id, 7, hash, hash"
        " FROM audit_accessevent WHERE patient_id = %s AND seq = 6",
        MONA,
    )

    assert findings() == [found(ALTERED, MONA, 7), found(BEHIND.format(6), MONA, 7)]


@pytest.mark.parametrize(
    ("change", "wrong", "named"),
    [
        ("SET hash = repeat('0', 64)", BEHIND.format(6), 6),
        ("SET seq = 5", BEHIND.format(5), 6),
        ("SET seq = 7", "is missing", 7),
    ],
)
def test_altered_head_is_found(change: str, wrong: str, named: int | None) -> None:
    tamper(f"UPDATE audit_accesschain {change} WHERE patient_id = %s", MONA)

    assert findings() == [found(wrong, MONA, named)]


def test_deleted_head_is_found() -> None:
    tamper("DELETE FROM audit_accesschain WHERE patient_id = %s", MONA)

    assert findings() == [found("the head of the chain is missing", MONA)]


def test_chain_that_was_hashed_again_is_found_by_its_seal() -> None:
    tamper(ROW.format("action = 'LISTED'"), MONA, 2)
    hash_again(MONA, 2)

    assert findings() == [found("is not the row that was sealed", MONA, 3, seal_number=1)]


def test_chain_that_was_cut_off_with_its_head_is_found_by_its_seal() -> None:
    tamper("DELETE FROM audit_accessevent WHERE patient_id = %s AND seq > 2", MONA)
    hash_again(MONA, 1)

    assert findings() == [found(UNSEALED, MONA, 3, seal_number=1)]


def test_what_happened_since_the_last_seal_is_not_vouched_for() -> None:
    """The limit, said aloud: who has the database cuts off what no seal covers yet."""
    tamper("DELETE FROM audit_accessevent WHERE patient_id = %s AND seq > 4", MONA)
    hash_again(MONA, 4)

    assert findings() == []


@pytest.mark.parametrize(
    "change",
    [
        "made_at = made_at + interval '1 second'",
        "previous_digest = repeat('0', 64)",
        "digest = repeat('0', 64)",
        "number = 9",
    ],
)
def test_altered_seal_is_found(change: str) -> None:
    seal_log()
    tamper(f"UPDATE audit_auditseal SET {change} WHERE number = 1")

    assert any(finding.seal_number == 1 for finding in findings())


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_sealedhead SET hash = repeat('0', 64) WHERE patient_id = %s",
        "UPDATE audit_sealedhead SET seq = 2 WHERE patient_id = %s",
        "DELETE FROM audit_sealedhead WHERE patient_id = %s",
        "INSERT INTO audit_sealedhead VALUES (%s, 4, repeat('0', 64), 1)",
    ],
    ids=["hash", "seq", "deleted", "added"],
)
def test_altered_sealed_head_is_found(change: str) -> None:
    tamper(change, MONA)

    assert Finding("it or a head it covers was altered", seal_number=1) in findings()


@pytest.mark.parametrize(
    ("which", "wrong", "named"),
    [("= 2", "is missing", 2), ("< 3", "seals 1 to 2 are missing", None)],
)
def test_deleted_seal_is_found(which: str, wrong: str, named: int | None) -> None:
    seal_log()
    seal_log()

    for table, column in (("auditseal", "number"), ("sealedhead", "seal_number")):
        tamper(f"DELETE FROM audit_{table} WHERE {column} {which}")

    assert findings() == [Finding(wrong, seal_number=named)]


def test_deleted_seal_whose_heads_were_left_is_found() -> None:
    seal_log()

    tamper("DELETE FROM audit_auditseal WHERE number = 1")

    wrong = "is missing, though heads it covers are there"
    assert findings() == [Finding(wrong, seal_number=1)]


def test_newest_seals_that_were_deleted_are_missed_within_a_day() -> None:
    tamper("DELETE FROM audit_auditseal")
    tamper("DELETE FROM audit_sealedhead")

    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert findings() == [Finding("The log has not been sealed for a day.")]


def test_log_that_was_long_not_sealed_is_told() -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert findings() == [Finding("The log has not been sealed for a day.")]


def test_empty_log_needs_no_seal() -> None:
    for table in ("accessevent", "accesschain", "auditseal", "sealedhead"):
        tamper(f"DELETE FROM audit_{table}")

    assert findings() == []


def test_forged_seal_is_found_by_its_signature() -> None:
    """Everything was computed again, but for what needs the key."""
    tamper(ROW.format("action = 'LISTED'"), MONA, 2)
    hash_again(MONA, 2)
    row_hash = AccessEvent.objects.get(patient_id=MONA, seq=3).hash
    tamper("UPDATE audit_sealedhead SET hash = %s WHERE patient_id = %s", row_hash, MONA)
    seal_again()

    assert findings() == [Finding("was not signed with a key of this installation", seal_number=1)]


def test_seal_that_is_known_elsewhere_is_looked_for() -> None:
    kept = AuditSeal.objects.get()
    right, wrong = Seal(1, kept.digest), Seal(1, "0" * 64)

    assert findings(known=right) == []
    assert findings(known=wrong) == [Finding("is not the one that is known", seal_number=1)]
    assert findings(known=Seal(2, kept.digest)) == [
        Finding("is not the one that is known", seal_number=2)
    ]


def test_command_tells_that_the_log_is_whole() -> None:
    digest = AuditSeal.objects.get().digest

    told = verify("--seal", f"1:{digest}")

    assert told == (
        f"The access log is whole: 11 rows of 3 patients, and 1 seals, the last 1:{digest}.\n"
    )


@pytest.mark.parametrize("events", [0, 2])
def test_new_installation_is_whole(events: int) -> None:
    """Before the clock has sealed anything."""
    for table in ("accessevent", "accesschain", "auditseal", "sealedhead"):
        tamper(f"DELETE FROM audit_{table}")
    record_many(MONA, events)

    assert verify() == (
        f"The access log is whole: {events} rows of {min(events, 1)} patients,"
        " and there is no seal yet.\n"
    )


def test_command_names_what_is_wrong_and_fails() -> None:
    tamper(ROW.format("action = 'LISTED'"), MONA, 5)
    tamper("DELETE FROM audit_accessevent WHERE patient_id = %s AND seq = 2", SARA)
    row = event(MONA, 5)
    output = io.StringIO()

    with pytest.raises(CommandError, match="2 found wrong") as failure:
        call_command("verify_audit", stdout=output)

    assert failure.value.returncode == 1
    assert output.getvalue().splitlines() == [
        f"patient {MONA} row 5 id {row.pk}: was altered",
        f"patient {SARA} row 2: is missing",
    ]


def test_command_reads_one_patients_chain_alone() -> None:
    tamper(ROW.format("action = 'LISTED'"), MONA, 5)

    assert verify("--patient", str(SARA)) == (
        "The access log is whole: 4 rows of 1 patients, and no seals.\n"
    )
    with pytest.raises(CommandError):
        verify("--patient", str(MONA))


def test_large_log_is_read_in_pieces_and_tells_how_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "BATCH", 2)
    monkeypatch.setattr(verification, "PROGRESS_EVERY", 5)
    progress: list[int] = []

    assert findings(progress=progress.append) == []
    assert progress == [5, 10]


def test_log_is_read_in_one_statement_and_its_seals_in_another() -> None:
    with CaptureQueriesContext(database) as queries:
        findings()

    assert len([query for query in queries if "audit_" in query["sql"]]) == 2
