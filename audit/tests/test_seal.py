"""A seal vouches for the log as it stands."""

from __future__ import annotations

import base64
import os
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from structlog.testing import capture_logs

from audit.jobs import seal_access_log
from audit.models import AuditSeal, SealedHead
from audit.services import seal_log
from audit.tests.log import findings, record, record_many

pytestmark = pytest.mark.django_db
MONA, SARA = UUID(int=1), UUID(int=2)
HEAD = ("patient_id", "seq", "hash")


def heads_of(seal: AuditSeal) -> list[tuple[Any, ...]]:
    return list(SealedHead.objects.filter(seal_number=seal.number).values_list(*HEAD))


def new_key(name: str) -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


def test_seal_covers_the_head_of_each_chain() -> None:
    ends = record_many(MONA, 3)[-1], record(SARA)

    seal = seal_log()

    assert heads_of(seal) == [(end.patient_id, end.seq, end.hash) for end in ends]


def test_next_seal_covers_the_chains_that_grew() -> None:
    record_many(MONA, 2)
    record(SARA)
    first = seal_log()
    end = record(SARA)

    second = seal_log()

    assert (first.number, second.number) == (1, 2)
    assert second.previous_digest == first.digest
    assert heads_of(second) == [(SARA, 2, end.hash)]


def test_seal_is_made_where_nothing_happened() -> None:
    first, second = seal_log(), seal_log()

    assert first.digest != second.digest
    assert heads_of(second) == []
    assert findings() == []


def test_seal_knows_when_it_was_made() -> None:
    seal = seal_log()

    assert abs(timezone.now() - seal.made_at) < timedelta(seconds=10)


def test_seal_is_written_into_the_log_of_the_process() -> None:
    record(MONA)

    with capture_logs() as lines:
        seal_access_log()

    seal = AuditSeal.objects.get()
    (line,) = lines
    assert line == {
        "event": "access_log_sealed",
        "log_level": "info",
        "number": 1,
        "made_at": seal.made_at.isoformat(),
        "digest": seal.digest,
    }


def test_clock_makes_the_seals() -> None:
    tasks = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert f"{seal_access_log.__module__}.{seal_access_log.__name__}" in tasks


def test_seal_holds_while_its_key_is_a_retired_one(settings: Any) -> None:
    old = settings.FIELD_ENCRYPTION_KEYS
    record(MONA)
    seal_log()

    settings.FIELD_ENCRYPTION_KEYS = [new_key("k9"), *old]
    seal_log()

    assert findings() == []


def test_seal_holds_after_its_key_was_taken_out(settings: Any) -> None:
    """`rotate_keys` seals the signatures anew, like every other value."""
    new, old = new_key("k9"), settings.FIELD_ENCRYPTION_KEYS
    record(MONA)
    seal_log()

    settings.FIELD_ENCRYPTION_KEYS = [new, *old]
    call_command("rotate_keys", verbosity=0)
    settings.FIELD_ENCRYPTION_KEYS = [new]

    assert findings() == []


def test_seal_of_a_stranger_to_the_keys_is_found(settings: Any) -> None:
    record(MONA)
    seal_log()

    settings.FIELD_ENCRYPTION_KEYS = [new_key("k9")]

    (finding,) = findings()
    assert str(finding) == "seal 1: was not signed with a key of this installation"
