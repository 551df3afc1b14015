"""How the log is hashed: the text of a row, the hash over it, and the digest of a seal.

Every value is written as a netstring, `<bytes>:<text>`, and a missing one as `-`, so two
different rows never give the same text. PostgreSQL writes the hashes (`CHAIN`); Python computes
them again to verify. What both share is the list of columns and the text of each value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

# Every column of an event but the hash itself, in the order they are hashed.
COLUMNS = (
    "id", "created_at", "patient_id", "seq", "actor_id", "action", "basis", "category",
    "object_type", "object_id", "previous_hash",
)  # fmt: skip


def as_text(row: str, column: str) -> str:
    """SQL for a value as it is hashed. Instants are seconds with six decimals: no setting of a
    session changes how they are written, and no two share a text."""
    if column in {"created_at", "made_at"}:
        return f"extract(epoch FROM {row}.{column})::text"
    return f"{row}.{column}::text"


def _sql_netstring(text: str) -> str:
    return f"coalesce(octet_length({text}) || ':' || {text}, '-')"


# Numbers a new event within its patient's chain and hashes it onto the one before. The head of
# the chain is locked from here to the end of the transaction; who makes a head waits for whoever
# is just making the same.
CHAIN = f"""
    SELECT seq + 1, hash INTO NEW.seq, NEW.previous_hash
    FROM audit_accesschain WHERE patient_id = NEW.patient_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_accesschain (patient_id, seq, hash) VALUES (NEW.patient_id, 0, '')
        ON CONFLICT DO NOTHING;
        SELECT seq + 1, hash INTO NEW.seq, NEW.previous_hash
        FROM audit_accesschain WHERE patient_id = NEW.patient_id FOR NO KEY UPDATE;
    END IF;
    NEW.hash = encode(sha256(convert_to(
        {" || ".join(_sql_netstring(as_text("NEW", column)) for column in COLUMNS)}, 'UTF8'
    )), 'hex');
    UPDATE audit_accesschain SET seq = NEW.seq, hash = NEW.hash
    WHERE patient_id = NEW.patient_id;
    RETURN NEW;
"""  # noqa: S608 - names of our own columns


def netstrings(values: Iterable[str | None]) -> bytes:
    """The values as one text from which each can be read again."""
    return b"".join(
        b"-" if value is None else b"%d:%b" % (len(data := value.encode()), data)
        for value in values
    )


def event_hash(values: Sequence[str | None]) -> str:
    """The hash of an event, from the texts of its `COLUMNS`."""
    return hashlib.sha256(netstrings(values)).hexdigest()


def seal_digest(
    *, number: int, made_at: str, previous: str, heads: Iterable[tuple[str, int, str]]
) -> str:
    """The digest of a seal: over its number, its moment, the digest before it, and the patient,
    seq and hash of each head, in the order of patients."""
    sha = hashlib.sha256(netstrings((str(number), made_at, previous)))
    for patient_id, seq, row_hash in heads:
        sha.update(netstrings((patient_id, str(seq), row_hash)))
    return sha.hexdigest()
