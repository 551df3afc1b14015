"""Rows by the thousand, through PostgreSQL's COPY."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import TypeVar

from django.db import connection, models

# Fields whose value in Python is what PostgreSQL takes. Not their subclasses.
PLAIN = frozenset(
    {
        models.BooleanField,
        models.CharField,
        models.DateField,
        models.DateTimeField,
        models.EmailField,
        models.ForeignKey,
        models.OneToOneField,
        models.PositiveSmallIntegerField,
        models.TextField,
        models.UUIDField,
    }
)
Row = TypeVar("Row", bound=models.Model)


class Rows:
    """Rows that will be written together, table by table in the order of their first rows.
    Foreign keys are checked at the commit, so they may refer to each other in any order."""

    def __init__(self) -> None:
        self._tables: dict[type[models.Model], list[models.Model]] = {}

    def add(self, row: Row) -> Row:
        self._tables.setdefault(type(row), []).append(row)
        return row

    def write(self) -> None:
        for model, rows in self._tables.items():
            copy_rows(model, rows)


def copy_rows(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    """Insert rows as they are: nothing is filled in, no signal is sent.

    A field that is not plain prepares its value as `save()` would have it, so encrypted ones
    are sealed.
    """
    fields = model._meta.concrete_fields
    values_of = attrgetter(*(field.attname for field in fields))
    prepared = [(place, field) for place, field in enumerate(fields) if type(field) not in PLAIN]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    statement = f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            values = list(values_of(row))
            for place, field in prepared:
                values[place] = field.get_db_prep_save(values[place], cursor.db)
            copy.write_row(values)
