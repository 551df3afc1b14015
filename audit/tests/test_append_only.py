"""The access log only grows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import Model

from accounts.models import User
from audit.models import AccessChain, AccessEvent, AuditSeal, SealedHead
from audit.services import record_access, seal_log
from audit.tests.log import execute

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(patient: User, doctor: User) -> AccessEvent:
    return record_access(
        actor_id=doctor.pk,
        patient_id=patient.pk,
        action=AccessEvent.Action.READ,
        target=patient,
        basis=AccessEvent.Basis.CARE,
    )


def test_event_names_what_was_touched(event: AccessEvent, patient: User) -> None:
    assert (event.object_type, event.object_id) == ("accounts.user", patient.pk)


@pytest.mark.parametrize(
    "change",
    [
        lambda: AccessEvent.objects.update(actor_id=None),
        lambda: AccessEvent.objects.get().save(),
        lambda: AccessEvent.objects.get().delete(),
        lambda: AccessEvent.objects.all().delete(),
        lambda: execute("UPDATE audit_accessevent SET action = 'READ'"),
        lambda: execute("DELETE FROM audit_accessevent"),
    ],
    ids=["update", "save", "delete", "delete of all", "UPDATE", "DELETE"],
)
def test_event_is_neither_changed_nor_deleted(
    event: AccessEvent, change: Callable[[], Any]
) -> None:
    before = list(AccessEvent.objects.values())

    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        change()

    assert list(AccessEvent.objects.values()) == before


@pytest.mark.parametrize(
    "model", [AccessEvent, AccessChain, AuditSeal, SealedHead], ids=lambda model: model.__name__
)
def test_log_is_never_emptied(model: type[Model]) -> None:
    """The tests' own database allows it, to be emptied between tests; none other does."""
    table = model._meta.db_table

    with pytest.raises(DatabaseError, match="never emptied"), transaction.atomic():
        execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditseal SET number = 2",
        "DELETE FROM audit_auditseal",
        "UPDATE audit_sealedhead SET seq = 2",
        "DELETE FROM audit_sealedhead",
    ],
)
def test_seal_is_neither_changed_nor_deleted(event: AccessEvent, statement: str) -> None:
    seal_log()

    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        execute(statement)


def test_event_outlives_the_account_it_names(event: AccessEvent, doctor: User) -> None:
    doctor.doctor_profile.delete()
    doctor.delete()

    assert AccessEvent.objects.get().actor_id == event.actor_id


def test_event_goes_with_the_act_that_failed(patient: User) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        record_access(
            actor_id=None,
            patient_id=patient.pk,
            action=AccessEvent.Action.VERIFIED,
            target=patient,
            basis=AccessEvent.Basis.QR,
        )
        raise RuntimeError

    assert not AccessEvent.objects.exists()
