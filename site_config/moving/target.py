"""The PostgreSQL database to move into."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dj_database_url
from django.conf import settings
from django.core.management.color import no_style
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from site_config.backups.database import EMPTY_SCHEMA
from site_config.databases import opened, shops_own
from site_config.moving.problems import CannotMove
from site_config.moving.rows import columns, tables

TARGET = "target"
MARK = (
    "unfinished_move"  # a table that says: whatever else is here, a move that was not ended made it
)


@contextmanager
def target_opened(url: str) -> Iterator[BaseDatabaseWrapper]:
    """Raises CannotMove for an address that leads to no PostgreSQL database."""
    try:
        parsed: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, KeyError, dj_database_url.ParseError) as error:
        raise CannotMove(f"--to is no address of a database: {error}.") from error
    if not parsed.get("ENGINE", "").endswith("postgresql") or not parsed.get("NAME"):
        raise CannotMove("--to must be postgres://user:password@host:5432/name.")
    with opened(TARGET, {**shops_own(), "OPTIONS": {}, "TIME_ZONE": None, **parsed}) as connection:
        try:
            connection.ensure_connection()
        except DatabaseError as error:
            raise CannotMove(f"The target does not answer: {error}") from error
        yield connection


def empty_or_refuse(target: BaseDatabaseWrapper) -> None:
    """An empty database stays so; what an unfinished move left goes. Raises CannotMove for all else."""
    found = target.introspection.table_names()
    if found and MARK not in found:
        raise CannotMove(
            f"The target is not empty: it has {len(found):,} tables, such as {found[0]}. Nothing was changed."
        )
    with target.cursor() as cursor:
        cursor.execute(EMPTY_SCHEMA)
        cursor.execute(f"CREATE TABLE {MARK} (begun_at timestamptz NOT NULL DEFAULT now())")


def unmarked(target: BaseDatabaseWrapper) -> None:
    """The move has ended: from here on the database is the shop's."""
    with target.cursor() as cursor:
        cursor.execute(f"DROP TABLE {MARK}")


def manage(url: str, *arguments: str) -> None:
    """`manage.py` with the target as the shop's database: as it will run there. Raises CannotMove.

    On Linux it ends with us, so that a move that is killed leaves nobody behind who makes tables.
    """
    child = [sys.executable, "-m", "site_config.supervisor.child", str(os.getpid())]
    done = subprocess.run(
        [*child, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": url, "DATABASE_URL_FILE": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise CannotMove(f"`manage.py {arguments[0]}` failed on the target: {said}")


def make_way(target: BaseDatabaseWrapper) -> None:
    """Within the transaction of the copy: no triggers of ours, no rows that migrations made, and references
    looked at once, at the end."""
    names = _watched(target)
    with target.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for name in names:
            cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {', '.join(names)}")


def close_up(target: BaseDatabaseWrapper, last_numbers: dict[str, int]) -> None:
    """References are looked at, triggers watch again, and numbers go on where they were.

    Raises CannotMove for a reference to nothing.
    """
    with target.cursor() as cursor:
        try:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except DatabaseError as error:
            raise CannotMove(f"A row refers to one that is not there: {error}") from error
        for name in _watched(target):
            cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")
        for statement in target.ops.sequence_reset_sql(no_style(), tables()):
            cursor.execute(statement)
        for model in tables():
            key = model._meta.pk
            last = last_numbers.get(model._meta.db_table, 0)
            if last and key is not None and key.get_internal_type().endswith("AutoField"):
                sequence = "pg_get_serial_sequence(%s, %s)"
                column = [_quoted(target, model), key.column]
                cursor.execute(
                    f"SELECT setval({sequence}, GREATEST(%s, nextval({sequence}) - 1))",
                    [*column, last, *column],
                )


@contextmanager
def filled(target: BaseDatabaseWrapper, model: type[Model]) -> Iterator[Any]:
    """psycopg's COPY into the model's table: it takes rows."""
    names = ", ".join(
        target.ops.quote_name(str(field.column)) for field in columns(model) if not field.generated
    )
    statement = f"COPY {_quoted(target, model)} ({names}) FROM STDIN"
    with target.cursor() as cursor, target.wrap_database_errors, cursor.copy(statement) as copy:
        yield copy


def _watched(target: BaseDatabaseWrapper) -> list[str]:
    """Every table but those that tell how far the database itself is."""
    found = set(target.introspection.table_names()) - {MARK, "django_migrations"}
    return [str(target.ops.quote_name(name)) for name in sorted(found)]


def _quoted(target: BaseDatabaseWrapper, model: type[Model]) -> str:
    return str(target.ops.quote_name(model._meta.db_table))
