"""The only writer of the access log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

import structlog
from django.db import connection, models, transaction

from audit import chain
from audit.models import AccessEvent, AuditSeal, SealedHead

logger = structlog.get_logger(__name__)

# One statement, so one snapshot: each head it sees has its events committed with it.
SEAL_HEADS = """
    INSERT INTO audit_sealedhead (patient_id, seq, hash, seal_number)
    SELECT patient_id, seq, hash, %s FROM audit_accesschain AS head
    WHERE NOT EXISTS (
        SELECT FROM audit_sealedhead AS sealed
        WHERE sealed.patient_id = head.patient_id AND sealed.seq >= head.seq
    )
"""


def record_access(
    *,
    actor_id: UUID | None,
    patient_id: UUID,
    action: AccessEvent.Action,
    target: models.Model,
    basis: AccessEvent.Basis,
    category: str = "",
) -> AccessEvent:
    """Log one act; called inside the transaction that grants or performs it.

    Nobody else can log an act on the same patient until that transaction ends. One that logs
    acts on several patients uses `record_accesses`.
    """
    event = access_event(
        actor_id=actor_id,
        patient_id=patient_id,
        action=action,
        target=target,
        basis=basis,
        category=category,
    )
    event.save(force_insert=True)
    return event


def record_accesses(events: Iterable[AccessEvent]) -> None:
    """Log acts on several patients, made by `access_event`, all in one call: in the order of
    the patients, so that two who log the same ones never wait for each other."""
    in_order = sorted(events, key=lambda event: event.patient_id)
    AccessEvent.objects.bulk_create(in_order, batch_size=500)


def access_event(
    *,
    actor_id: UUID | None,
    patient_id: UUID,
    action: AccessEvent.Action,
    target: models.Model,
    basis: AccessEvent.Basis,
    category: str = "",
) -> AccessEvent:
    """One act, to be logged by `record_accesses`."""
    return AccessEvent(
        actor_id=actor_id,
        patient_id=patient_id,
        action=action,
        basis=basis,
        category=category,
        object_type=target._meta.label_lower,
        object_id=target.pk,
    )


@transaction.atomic
def seal_log() -> AuditSeal:
    """Vouch for the log as it stands: every event committed by now, and none in the making.

    The line in the process's log lets whoever collects those lines elsewhere know, later,
    whether this seal is still there.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE audit_auditseal IN SHARE ROW EXCLUSIVE MODE")
        last = AuditSeal.objects.order_by("number").last()
        number, previous = (last.number + 1, last.digest) if last else (1, "")
        cursor.execute("SELECT now, extract(epoch FROM now)::text FROM clock_timestamp() AS now")
        made_at, made_at_text = cursor.fetchone()
        cursor.execute(SEAL_HEADS, [number])
    digest = chain.seal_digest(
        number=number, made_at=made_at_text, previous=previous, heads=_sealed_heads(number)
    )
    seal = AuditSeal.objects.create(
        number=number, made_at=made_at, previous_digest=previous, digest=digest, signature=digest
    )
    logger.info("access_log_sealed", number=number, made_at=made_at.isoformat(), digest=digest)
    return seal


def _sealed_heads(number: int) -> Iterator[tuple[str, int, str]]:
    heads = SealedHead.objects.filter(seal_number=number).order_by("patient_id")
    for patient_id, seq, row_hash in heads.values_list("patient_id", "seq", "hash").iterator():
        yield str(patient_id), seq, row_hash
