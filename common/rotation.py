"""Every encrypted value sealed again with the first key, while the service runs.

A row is changed by `UPDATE … SET column = new WHERE id = … AND column = old`, on the sealed
values as they stand: whatever somebody wrote meanwhile was sealed with the first key already,
and stays. Done twice, or interrupted and begun again, it comes to the same end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pgtrigger
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction

from common import crypto
from common.fields import EncryptedTextField

# Sealed values as they are: nothing on the way opens or seals them.
READ = "SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL AND {column} NOT LIKE %s"
AFTER = " AND {key} > %s ORDER BY {key} LIMIT %s"
WRITE = "UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s"
COUNT = "SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND {column} NOT LIKE %s"


@dataclasses.dataclass
class Column:
    """One encrypted column, and what became of its values."""

    model: type[models.Model]
    field: EncryptedTextField
    changed: int = 0
    overtaken: int = 0
    unreadable: list[Any] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.field.name}"

    def sql(self, statement: str) -> str:
        quote = connection.ops.quote_name
        primary_key = self.model._meta.pk
        return statement.format(
            table=quote(self.model._meta.db_table),
            key=quote(str(primary_key and primary_key.column)),
            column=quote(str(self.field.column)),
        )

    def left(self) -> int:
        """How many values are still sealed with another key than the first."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql(COUNT), [_first_key()])
            return int(cursor.fetchone()[0])


def encrypted_columns() -> list[Column]:
    """Every encrypted field of every table."""
    return [
        Column(model, field)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, EncryptedTextField) and not model._meta.proxy
    ]


def rotate(column: Column, *, batch_size: int) -> Iterator[Column]:
    """Batch after batch in the order of the primary key; yields after each, so that whoever
    runs it can say how far it is. Each row is a transaction of its own: nobody waits for more
    than one, and no lock is held while another is asked for."""
    last: Any = None
    while rows := _next_rows(column, after=last, limit=batch_size):
        with _writable(column):
            for key, old in rows:
                _rotate_one(column, key, old)
        last = rows[-1][0]
        yield column


def _rotate_one(column: Column, key: Any, old: str) -> None:
    purpose = column.field.purpose
    try:
        new = crypto.seal(crypto.unseal(old, purpose=purpose), purpose=purpose)
    except crypto.CannotDecrypt:
        column.unreadable.append(key)
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(column.sql(WRITE), [new, key, old])
        written = cursor.rowcount
    column.changed += written
    column.overtaken += 1 - written


def _next_rows(column: Column, *, after: Any, limit: int) -> list[tuple[Any, str]]:
    smallest = "00000000-0000-0000-0000-000000000000"
    with connection.cursor() as cursor:
        cursor.execute(column.sql(READ + AFTER), [_first_key(), after or smallest, limit])
        return list(cursor.fetchall())


def _writable(column: Column) -> ExitStack:
    """Lets this thread change rows that a trigger holds fast: the same content, sealed anew."""
    stack = ExitStack()
    for trigger in getattr(column.model._meta, "triggers", []):
        if isinstance(trigger, pgtrigger.Protect):
            stack.enter_context(pgtrigger.ignore(f"{column.model._meta.label}:{trigger.name}"))
    return stack


def _first_key() -> str:
    """How every value begins that is sealed with the first key."""
    key_id = next(iter(crypto.parse_keys(settings.FIELD_ENCRYPTION_KEYS)))
    return f"v1.{key_id}.%"
