"""Issued is issued: the database refuses every later change, whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db import connection as database

from connections.models import Connection
from prescriptions.models import Prescription, PrescriptionItem
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db


@pytest.fixture
def prescription(connection: Connection) -> Prescription:
    return issue(connection)


def execute(sql: str) -> None:
    with database.cursor() as cursor:
        cursor.execute(sql)


def resave(row: Any, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()


def snapshot() -> list[Any]:
    return [*Prescription.objects.values(), *PrescriptionItem.objects.values()]


@pytest.mark.parametrize(
    "change",
    [
        lambda: Prescription.objects.update(diagnosis="x"),
        lambda: Prescription.objects.update(valid_until="2099-01-01"),
        lambda: PrescriptionItem.objects.update(quantity=1),
        lambda: resave(Prescription.objects.get(), notes="x"),
        lambda: resave(Prescription.objects.get(), number="7K3-M9Q-2TC"),
        lambda: resave(Prescription.objects.get(), safety={"warnings": []}),
        lambda: resave(PrescriptionItem.objects.first()),
        lambda: Prescription.objects.get().delete(),
        lambda: Prescription.objects.all().delete(),
        lambda: PrescriptionItem.objects.first().delete(),
        lambda: PrescriptionItem.objects.all().delete(),
        lambda: Prescription.objects.bulk_update(
            [Prescription(pk=Prescription.objects.get().pk, notes="x")], ["notes"]
        ),
        lambda: execute("UPDATE prescriptions_prescription SET notes = 'x'"),
        lambda: execute("UPDATE prescriptions_prescription SET client_id = gen_random_uuid()"),
        lambda: execute("UPDATE prescriptions_prescription SET status = 'stopped', notes = 'x'"),
        lambda: execute("DELETE FROM prescriptions_prescriptionitem"),
        lambda: execute("DELETE FROM prescriptions_prescription"),
    ],
    ids=[
        "update", "update of the last day", "update of items", "save", "save of another number",
        "save of another check", "save of an item",
        "delete", "delete of all", "delete of an item", "delete of all items", "bulk update",
        "UPDATE", "UPDATE of what it came from", "UPDATE under cover of a stop",
        "DELETE of items", "DELETE",
    ],
)  # fmt: skip
def test_nothing_changes_it(prescription: Prescription, change: Callable[[], Any]) -> None:
    before = snapshot()

    with pytest.raises(DatabaseError, match="pgtrigger: Cannot"), transaction.atomic():
        change()

    assert snapshot() == before


def test_item_cannot_take_the_place_of_another(prescription: Prescription) -> None:
    with pytest.raises(DatabaseError, match="item_in_its_place"), transaction.atomic():
        PrescriptionItem.objects.create(
            prescription=prescription, position=1, medicine="x", quantity=1, frequency=1
        )


def test_people_and_connections_with_prescriptions_stay(prescription: Prescription) -> None:
    for row in (prescription.connection, prescription.doctor, prescription.patient):
        with pytest.raises(DatabaseError), transaction.atomic():
            type(row).objects.filter(pk=row.pk)._raw_delete("default")
            execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("offered", ["patch", "delete", "post"])
def test_api_offers_no_change_in_place(prescription: Prescription, offered: str) -> None:
    from medisync.tests.client import api_client

    client = api_client(prescription.doctor)

    answer = getattr(client, offered)(f"/api/v1/prescriptions/{prescription.pk}", {})

    assert answer.status_code == 405


def test_no_item_is_added_to_it(prescription: Prescription) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        PrescriptionItem.objects.create(
            prescription=prescription, position=3, medicine="Diazepam", quantity=90, as_needed=True
        )

    assert prescription.items.count() == 2
