"""Rows by the thousand, through PostgreSQL's COPY."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, TypeVar

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
        self._changes: list[tuple[models.Model, dict[str, Any] | None]] = []

    def add(self, row: Row) -> Row:
        self._tables.setdefault(type(row), []).append(row)
        return row

    def of(self, model: type[Row], **values: object) -> list[Row]:
        """Those of one table so far that have these values."""
        rows = [row for row in self._tables.get(model, []) if isinstance(row, model)]
        return [row for row in rows if all(getattr(row, n) == v for n, v in values.items())]

    def change_once_written(self, row: models.Model, **values: Any) -> None:
        """What is said of a row when others that refer to it are there."""
        self._changes.append((row, values))

    def add_in_turn(self, row: Row) -> Row:
        """One that the database takes only after what was said to change before it."""
        self._changes.append((row, None))
        return row

    def put_in_order_of_time(self, model: type[models.Model]) -> None:
        self._tables.get(model, []).sort(key=attrgetter("created_at"))

    def write(self) -> None:
        for model, rows in self._tables.items():
            copy_rows(model, rows)
        for row, values in self._changes:
            if values is None:
                row.save(force_insert=True)
                continue
            for name, value in values.items():
                setattr(row, name, value)
            row.save(force_update=True, update_fields=[*values])


def copy_rows(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    """Insert rows as they are: nothing is filled in but by the database, no signal is sent.

    A field that is not plain prepares its value as `save()` would have it, so encrypted ones
    are sealed.
    """
    fields = [field for field in model._meta.concrete_fields if not field.has_db_default()]
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
