"""A row of which one of many may be the first, in one statement and without a savepoint."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import AutoField, Model


def inserted(row: Model) -> bool:
    """Insert it, unless a unique constraint says that another is there already; whether it was inserted.

    INSERT ... ON CONFLICT DO NOTHING: whoever comes while another transaction inserts the same waits for
    the end of that. `bulk_create(ignore_conflicts=True)` does not tell which of both happened. The row's
    number is filled in; signals are not sent, and models with parents are not for this.
    """
    meta = row._meta
    fields = [
        field
        for field in meta.local_concrete_fields
        if not (isinstance(field, AutoField) and row.pk is None)
    ]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    values: list[Any] = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields
    ]
    statement = (
        f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608  # nosec B608  # names of ours
        f" ON CONFLICT DO NOTHING RETURNING {quote(str(meta.pk.column))}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found = cursor.fetchone()
    if found is None:
        return False
    if row.pk is None:
        row.pk = found[0]
    row._state.adding, row._state.db = False, connection.alias
    return True
