"""Rows that the database does not let anybody change."""

from __future__ import annotations

from django.db import connection
from django.db.models import Model

REFUSE = """
    CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'This row is broken.'; END $$;
    CREATE TRIGGER broken BEFORE UPDATE ON {table} FOR EACH ROW
    WHEN (OLD.id = '{pk}') EXECUTE FUNCTION pg_temp.refuse();
"""


def refuse(row: Model) -> None:
    """Until the end of the test, whoever changes this row fails."""
    with connection.cursor() as cursor:
        cursor.execute(REFUSE.format(table=row._meta.db_table, pk=row.pk))
