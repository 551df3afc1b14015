"""A log to look at, and what somebody with every right over the database could do to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from audit.models import AccessEvent
from audit.services import record_access
from audit.verification import Finding, Verification
from specializations.models import Specialization

TABLES = ("audit_accessevent", "audit_accesschain", "audit_auditseal", "audit_sealedhead")


def record(patient_id: UUID, **changes: Any) -> AccessEvent:
    """Somebody reads something of this patient's; what it is does not matter to the log."""
    values: dict[str, Any] = {
        "actor_id": uuid4(),
        "action": AccessEvent.Action.READ,
        "target": Specialization(id=uuid4()),
        "basis": AccessEvent.Basis.CARE,
    }
    return record_access(patient_id=patient_id, **(values | changes))


def record_many(patient_id: UUID, count: int) -> list[AccessEvent]:
    return [record(patient_id) for _ in range(count)]


def execute(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


@contextmanager
def without_triggers() -> Iterator[None]:
    """As the owner of the tables, who need not care for their triggers."""
    for table in TABLES:
        execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is to be checked yet holds the tables fast
    for table in TABLES:
        execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def tamper(sql: str, *values: Any) -> None:
    with without_triggers():
        execute(sql, *values)


def findings(**options: Any) -> list[Finding]:
    return list(Verification(**options).findings())
